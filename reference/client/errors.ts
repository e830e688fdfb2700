/**
 * - `not-https`: tokens that are bound to TLS sessions go over TLS only
 * - `exporter-not-trusted`: TLS 1.2 without extended master secret, or an older version
 * - `certificate-not-asked`: the server asked for no client certificate, so that nothing could be bound to it
 * - `handshake-timeout`: the server did not finish the handshake in time
 * - `connection-ended`: the connection ended before the request was sent
 * - `stream-refused`: the server refused the request's stream twice
 * - `closed`: the agent was closed
 */
export type ClientErrorCode =
  | 'not-https'
  | 'exporter-not-trusted'
  | 'certificate-not-asked'
  | 'handshake-timeout'
  | 'connection-ended'
  | 'stream-refused'
  | 'closed';

/** A request that the client did not send, and why. */
export class SessionBindingError extends Error {
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SessionBindingError';
    this.code = code;
  }
}
