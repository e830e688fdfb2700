import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import { SessionBindingError } from './errors.ts';
import type { ClientIdentity } from './identity.ts';

export interface HandshakeSettings {
  /** TLS options such as `ca` and `servername`; the server's certificate is verified in any case. */
  readonly tls: Omit<ConnectionOptions, 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'session'>;
  readonly allowH2: boolean;
  /** Bound on connecting and handshake, in milliseconds. */
  readonly connectTimeoutMs: number;
}

/** What a connection is opened with, each replaceable. */
export interface HandshakeParts {
  readonly tlsOptions: (
    origin: URL,
    identity: ClientIdentity,
    settings: HandshakeSettings,
  ) => ConnectionOptions;
  /** Why nothing may be sent on a connection whose handshake is done; `undefined` where all is well. */
  readonly objectionTo: (socket: TLSSocket) => SessionBindingError | undefined;
}

/**
 * TLS as session binding needs it: the server is verified, the client presents its certificate, and nothing
 * changes the exporter value in mid connection. Sessions are not resumed, and early data is never sent.
 */
export function tlsOptions(
  origin: URL,
  identity: ClientIdentity,
  settings: HandshakeSettings,
): ConnectionOptions {
  const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: Number(origin.port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: settings.allowH2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...settings.tls,
    cert: identity.certificate,
    key: identity.key,
    ...(identity.passphrase !== undefined && { passphrase: identity.passphrase }),
    rejectUnauthorized: true,
    secureOptions: (settings.tls.secureOptions ?? 0) | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/**
 * Whether the server asked for a certificate in this handshake. OpenSSL fills the list of shared signature
 * algorithms of a client from the CertificateRequest, and Node has no other sign of it.
 */
export function certificateAskedOn(socket: TLSSocket): boolean {
  return socket.getSharedSigalgs().length > 0;
}

/** Source: RFC 7627 §5.4; draft -06 §3.1 step 1. */
export function objectionTo(socket: TLSSocket): SessionBindingError | undefined {
  if (!exporterTrustedOn(socket)) {
    const message = 'the server offers only TLS whose exporter values cannot be trusted';
    return new SessionBindingError('exporter-not-trusted', message);
  }
  if (!certificateAskedOn(socket)) {
    return new SessionBindingError('certificate-not-asked', 'the server asks for no client certificate');
  }
  return undefined;
}

/**
 * Opens a mutually authenticated TLS connection whose exporter value may be trusted.
 *
 * @throws what connecting fails with, or SessionBindingError
 */
export function openTls(
  origin: URL,
  identity: ClientIdentity,
  settings: HandshakeSettings,
  parts: HandshakeParts,
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect(parts.tlsOptions(origin, identity, settings));
  const timer = setTimeout(() => {
    const message = `no TLS handshake with ${origin.host} in time`;
    socket.destroy(new SessionBindingError('handshake-timeout', message));
  }, settings.connectTimeoutMs);
  socket.setNoDelay(true);
  socket.on('error', reject);
  socket.once('close', () => {
    clearTimeout(timer);
    reject(new SessionBindingError('connection-ended', `${origin.host} ended the connection`));
  });
  socket.once('secureConnect', () => {
    clearTimeout(timer);
    const objection = parts.objectionTo(socket);
    if (objection === undefined) resolve(socket);
    else socket.destroy(objection);
  });
  return promise;
}
