import type { Identity } from '../../certs/identity.ts';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';
/** Versions that must not be accepted (RFC 8996); only ever asked for to see them refused. */
export type LegacyTlsVersion = 'TLSv1' | 'TLSv1.1';
export type HttpVersion = 'http/1.1' | 'h2';

/** A header field as sent or received: name and value, order and duplicates kept. Names keep their case on HTTP/1.1. */
export type Field = readonly [name: string, value: string];

/** How a connection to the target is to be made. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** SNI and the name that the server certificate must match; `null` sends no SNI. Default `localhost`. */
  readonly servername?: string | null;
  /** PEM trust anchors for the server's certificate; `null` accepts any (the suite may be pointed at a foreign URL). */
  readonly serverAuthorities?: string | null;
  readonly tls: TlsVersion | LegacyTlsVersion;
  readonly http: HttpVersion;
  /** Client certificate and key; `null` connects without one. */
  readonly identity: Identity | null;
  /** A session of an earlier connection ({@link Connection.session}) to resume. */
  readonly session?: Buffer;
  /** `false` leaves the extended_master_secret extension out (TLS 1.2, RFC 7627). Default `true`. */
  readonly extendedMasterSecret?: boolean;
  /** `false` leaves the session_ticket extension out, so that TLS 1.2 resumes by session ID (RFC 5077 §3.4). Default `true`. */
  readonly sessionTickets?: boolean;
  /** OpenSSL cipher list / TLS 1.3 suites. */
  readonly ciphers?: string;
  /** Bind the client's end to this local port. */
  readonly localPort?: number;
  /** HTTP/2 only: lets frames be held back and sent in one write, for {@link Connection.abandon}. Default `false`. */
  readonly gathersWrites?: boolean;
  /** How long the handshake may take, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

/** An HTTP request as it is to stand on the wire. The suite adds nothing to it but what the framing needs (see `Connection.send`). */
export interface WireRequest {
  readonly method: string;
  /** Origin-form request target, such as `/resource?a=1`. */
  readonly target: string;
  /** `Host` or `:authority`; default is `host:port` of the connection. */
  readonly authority?: string;
  readonly fields: readonly Field[];
  readonly body?: Uint8Array;
  /** HTTP/1.1 chunked or HTTP/2 trailer fields; makes an HTTP/1.1 request chunked. */
  readonly trailers?: readonly Field[];
  /** HTTP/1.0 or 1.1 on the request line; ignored on HTTP/2. Default `HTTP/1.1`. */
  readonly version?: 'HTTP/1.0' | 'HTTP/1.1';
  /** HTTP/2: `:protocol` of an extended CONNECT (RFC 8441 §4), whose response has ended once its header is there. */
  readonly protocol?: string;
}

export interface WireResponse {
  readonly type: 'response';
  readonly status: number;
  readonly fields: readonly Field[];
  /** At most {@link MAX_BODY} octets are kept. */
  readonly body: Buffer;
  readonly bodyTruncated: boolean;
  /** Status codes of informational (1xx) responses that came before. */
  readonly informational: readonly number[];
  /** HTTP/1.1: lower-case names of fields that the target spread over several lines (obs-fold, RFC 9112 §5.2); their values are joined. */
  readonly folded?: readonly string[];
  /** Milliseconds from the first octet written to the response's end. */
  readonly durationMs: number;
}

/** Longest response body that is kept as evidence; the rest is read and thrown away until {@link BODY_LIMIT}. */
export const MAX_BODY = 16_384;
/** A response body longer than this ends the exchange with the failure `endless-response`. */
export const BODY_LIMIT = 1_048_576;

/**
 * Why no response came.
 * - `refused`: TCP connection refused or unreachable
 * - `tls-alert`: the target ended the handshake or the connection with a TLS alert
 * - `closed`: end of stream or connection close before a whole response
 * - `reset`: TCP reset
 * - `stream-reset`: HTTP/2 RST_STREAM or GOAWAY for this stream
 * - `timeout`: nothing (more) within the time bound
 * - `garbage`: octets that are not HTTP
 * - `endless-response`: more than {@link BODY_LIMIT} octets of header or body
 * - `tls-handshake`: the handshake failed on the client's side (no common version, wrong server certificate, …)
 */
export type FailureKind =
  | 'refused'
  | 'tls-alert'
  | 'tls-handshake'
  | 'closed'
  | 'reset'
  | 'stream-reset'
  | 'timeout'
  | 'garbage'
  | 'endless-response';

export interface WireFailure {
  readonly type: 'failure';
  readonly kind: FailureKind;
  /** In words, with the alert's name, error code or first octets seen; free of secrets. */
  readonly detail: string;
  /** TLS alert name such as `bad_certificate`, where `kind` is `tls-alert`. */
  readonly alert?: string;
  readonly durationMs: number;
}

/** What came of a request: failures are outcomes to judge, not exceptions. */
export type Outcome = WireResponse | WireFailure;

/** A connection attempt that did not reach a usable connection. */
export class ConnectFailure extends Error {
  readonly outcome: WireFailure;
  constructor(outcome: WireFailure) {
    super(outcome.detail);
    this.name = 'ConnectFailure';
    this.outcome = outcome;
  }
}

/**
 * The harness, not the target, refused: the request cannot be put on this kind of connection (a field that
 * Node's HTTP/2 will not send, a character that is not an octet, …). A scenario that sees it is inconclusive.
 */
export class CannotSend extends TypeError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CannotSend';
  }
}

/** How long `send`, `sendOctets` and `connect` wait when they are not told, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5000;

/** What is known of a connection once it stands; plain data. */
export interface ConnectionFacts {
  readonly tls: string;
  readonly cipher: string;
  /** ALPN result, or `none`. */
  readonly alpn: string;
  /** RFC 7627; always true on TLS 1.3. */
  readonly extendedMasterSecret: boolean;
  readonly resumed: boolean;
  readonly localPort: number;
  /** Whether the exporter value was recomputed from the key log and found equal (`key-log`), or could not be (`not-checked`). */
  readonly exporterCheck: 'key-log' | 'not-checked';
  readonly handshakeMs: number;
  /** Why the client certificate that was at hand was not presented, in words, where that is known. */
  readonly certificateWithheld?: string;
}

/** An exporter derivation (RFC 5705 §4, RFC 8446 §7.5). */
export interface Derivation {
  /** Default: the draft's label, `EXPORTER-oauth-tls-session-bound` (draft -06 §2.2). */
  readonly label?: string;
  /** Context octets; `null` = the form without context (differs from zero-length on TLS 1.2 only). Default: zero-length. */
  readonly context?: Uint8Array | null;
  /** Octets of output. Default 32. */
  readonly length?: number;
}

/** One TLS connection to the target, with HTTP on it. Released with `await using`. */
export interface Connection extends AsyncDisposable {
  /** `c1`, `c2`, … in the order of opening within a scenario; set by the opener. */
  readonly id: string;
  readonly options: ConnectOptions;
  readonly facts: ConnectionFacts;
  /** False as soon as the connection has ended or been reset, or the target announced that it will end (`Connection: close`, GOAWAY). */
  readonly open: boolean;
  /** Keying material of this connection; works after the connection has ended too (values are recomputed from the key log, or were taken before). */
  exporter(derivation?: Derivation): Buffer;
  /** tls-unique (RFC 5929 §3): the first Finished message of the handshake; `undefined` on TLS 1.3. */
  readonly tlsUnique: Buffer | undefined;
  /** tls-server-end-point (RFC 5929 §4): hash of the server's certificate. */
  readonly serverEndPoint: Buffer;
  readonly clientRandom: Buffer;
  /** TLS session id or ticket identifier, where there is one. */
  readonly sessionId: Buffer | undefined;
  /**
   * Sends a request and reads its response. Calls that are not awaited are pipelined on HTTP/1.1 and run in
   * parallel streams on HTTP/2. On HTTP/1.1 `Host` is added unless a field of that name is given, and
   * `Content-Length` with a body unless given (or trailers are). Never throws for what the target does.
   * @throws {CannotSend} where the harness cannot put this request on the wire
   */
  send(request: WireRequest, timeoutMs?: number): Promise<Outcome>;
  /**
   * HTTP/1.1 only: writes exactly these octets, then reads one response. The request method (HEAD has no body) is
   * the first word of the octets. Where the octets hold two requests, a second call with no octets, made before
   * the first is awaited, reads the second response.
   * @throws {CannotSend} on HTTP/2 connections
   */
  sendOctets(octets: Uint8Array, timeoutMs?: number): Promise<Outcome>;
  /**
   * HTTP/2 only: opens a stream with this request and resets it right after its HEADERS; on a connection that gathers
   * writes, HEADERS and RST_STREAM go out in the same octets.
   */
  abandon(request: WireRequest): Promise<void>;
  /** The newest session for resumption; waits up to `timeoutMs` for a ticket. `undefined` if none came. */
  session(timeoutMs?: number): Promise<Buffer | undefined>;
  /** Ends the connection with close_notify. */
  close(): Promise<void>;
  /** Ends the connection with a TCP reset. */
  reset(): void;
}
