import type { X509Certificate } from 'node:crypto';
import type { Identity } from '../../../certs/identity.ts';
import type { Derivation, Field, HttpVersion, TlsVersion } from '../../wire/connection.ts';

/** How the counterpart meets new connections. What is left out is as usual. */
export interface TransportPlan {
  /** The only version that is offered. */
  readonly tls: TlsVersion;
  /** The only protocol that ALPN offers; a client without ALPN gets HTTP/1.1. */
  readonly http: HttpVersion;
  /** OpenSSL cipher list, or TLS 1.3 suites. */
  readonly ciphers?: string;
  /** `false` does not answer the extended_master_secret extension (TLS 1.2, RFC 7627). Default true. */
  readonly extendedMasterSecret?: boolean;
  /** Which kind of resumption is offered: tickets (a PSK on TLS 1.3), session identifiers (TLS 1.2 only) or none. Default `none`. */
  readonly resumption?: 'none' | 'tickets' | 'session-ids';
  /** Whether a client certificate is asked for. Default true; what is presented is accepted and shown, whoever signed it. */
  readonly requestCertificate?: boolean;
  /** The server's certificate. Default: the PKI's server. */
  readonly identity?: Identity;
  /** HTTP/2 SETTINGS_MAX_CONCURRENT_STREAMS. Default 100. */
  readonly maxConcurrentStreams?: number;
  /**
   * What TLS is made with. `openssl` can send KeyUpdate and accept early data; HTTP/1.1 without ALPN only, of the client's
   * chain it shows the first certificate, and it needs the optional dependency koffi (`opensslUnavailable`). Default `node`.
   */
  readonly engine?: 'node' | 'openssl';
  /** `false` never sends 100 (Continue) on HTTP/1.1, and answers when the body has come all the same. Default true. */
  readonly continues?: boolean;
  /** Asked for each connection, with its ClientHello: how its handshake is refused, if it is. Default: not at all. */
  readonly refusesHandshake?: () => HandshakeRefusal | undefined;
  /** Accepts early data on resumed connections (RFC 8446 §4.2.10); with the engine `openssl` and `tickets`. Default false. */
  readonly earlyData?: boolean;
}

/** How a handshake ends that has just begun: with an alert, with the end of the TCP connection, or with its reset. */
export type HandshakeRefusal = 'alert' | 'end' | 'reset';

/** What is known of a client's connection once it stands; plain data. */
export interface UpstreamFacts {
  readonly tls: string;
  readonly cipher: string;
  /** ALPN result, or `none`. */
  readonly alpn: string;
  /** RFC 7627; always true on TLS 1.3. */
  readonly extendedMasterSecret: boolean;
  readonly resumed: boolean;
  /** SNI; `null`: none was sent. */
  readonly serverName: string | null;
  readonly clientPort: number;
  /** Whether the exporter value was recomputed from the key log and found equal, or could not be. */
  readonly exporterCheck: 'key-log' | 'not-checked';
  /** Milliseconds from the TCP connection to the end of the handshake. */
  readonly handshakeMs: number;
}

/** A TLS connection that the client under test has made to the counterpart. */
export interface UpstreamConnection {
  /** `c1`, `c2`, … in the order of the handshakes of a scenario. */
  readonly id: string;
  readonly facts: UpstreamFacts;
  /** What the client presented, end-entity certificate first; empty: none. */
  readonly clientChain: readonly X509Certificate[];
  /** False once it has ended, or was told to. */
  readonly open: boolean;
  /** How it came to its end, in words, with the alert's name where there was one; `undefined` while it stands. */
  readonly ending: string | undefined;
  /** What has arrived on it so far, in order of the requests' first octets. */
  readonly requests: readonly UpstreamRequest[];
  /** Keying material of this connection; also after it has ended. */
  exporter(derivation?: Derivation): Buffer;
  /** tls-unique (RFC 5929 §3); `undefined` on TLS 1.3. */
  readonly tlsUnique: Buffer | undefined;
  /** tls-server-end-point (RFC 5929 §4). */
  readonly serverEndPoint: Buffer;
  readonly clientRandom: Buffer;
  readonly sessionId: Buffer | undefined;
  /** Ends it in good order: HTTP/2 GOAWAY, then close_notify. Resolves when the client has ended its side too, or after a bound. */
  end(): Promise<void>;
  /** Resolves when it has come to its end, or after so many milliseconds. */
  awaitEnd(timeoutMs: number): Promise<void>;
  /** Ends it with a TCP reset. */
  reset(): void;
  /** HTTP/2: announces the end (GOAWAY, NO_ERROR), serves streams up to this one only. */
  goAway(lastStreamId: number): void;
  /**
   * Asks the client to renegotiate (TLS 1.2, RFC 5746). Resolves with `renegotiated`, after which {@link exporter}
   * gives the new values, or with how the client refused, in words; a refusal ends the connection. HTTP/1.1 only.
   */
  renegotiate(timeoutMs?: number): Promise<string>;
  /**
   * Sends a KeyUpdate and asks for the client's own (TLS 1.3, RFC 8446 §4.6.3).
   * @throws {Error} unless the plan's engine is `openssl`
   */
  keyUpdate(): void;
  /** What the client sent as early data, which is the beginning of its requests; empty: nothing. */
  readonly earlyData: Buffer;
}

/** A request as it came from the client under test. */
export interface UpstreamRequest {
  /** 1, 2, … within the scenario, in order of arrival. */
  readonly id: number;
  readonly connection: UpstreamConnection;
  readonly method: string;
  /** Request target, such as `/resource?a=1`. */
  readonly target: string;
  /** `Host` or `:authority`. */
  readonly authority: string;
  /** In order, with duplicates; names as sent on HTTP/1.1; without pseudo-header fields. */
  readonly fields: readonly Field[];
  readonly body: Buffer;
  /** Fields of its trailer section (RFC 9110 §6.5), in order; empty until the body has arrived in full. */
  readonly trailers: readonly Field[];
  /** Whether its body has arrived in full. */
  readonly complete: boolean;
  /** Milliseconds since the epoch when its head was complete. */
  readonly receivedAt: number;
  /** How it was answered; `undefined` until then. */
  readonly answer: Answer | undefined;
}

/**
 * What the counterpart does with a request. On HTTP/1.1 `refuse-stream` and `go-away` are as `end`.
 * - `response`: a response, after which the connection ends where `closes` says so
 * - `held`: a response of which some octets come at once, and the others when a promise resolves; the connection stays
 * - `cut`: the response's head and first octets, nothing more for a while where it says so, then the end of the connection
 * - `octets`: whatever is written in place of a response, then the end of the connection
 * - `end`, `reset`: no response; the connection ends with close_notify or a TCP reset
 * - `refuse-stream`: HTTP/2 RST_STREAM with REFUSED_STREAM (RFC 9113 §8.7)
 * - `go-away`: HTTP/2 GOAWAY that leaves this stream out, so that it may be tried again elsewhere
 */
export type Answer =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly fields: readonly Field[];
      readonly body: string;
      readonly closes?: boolean;
    }
  | {
      readonly kind: 'held';
      readonly status: number;
      readonly fields: readonly Field[];
      readonly body: string;
      /** How many octets of the body come at once. */
      readonly first: number;
      readonly until: Promise<unknown>;
    }
  | {
      readonly kind: 'cut';
      readonly status: number;
      readonly how: 'end' | 'reset';
      /** How long nothing comes before the end, in milliseconds. Default: not at all. */
      readonly stallMs?: number;
    }
  | WrittenOctets
  | { readonly kind: 'end' | 'reset' | 'refuse-stream' | 'go-away' };

/** Octets that are no response, or are one written in an unusual way. */
export interface WrittenOctets {
  readonly kind: 'octets';
  /** What they are, in words. */
  readonly what: string;
  /**
   * Written one after the other while the connection stands, 4 MiB of them at most.
   *
   * @param stream of the request, for frames of HTTP/2; 0 on HTTP/1.1
   */
  readonly pieces: (stream: number) => Iterable<Buffer>;
  /** Between one piece and the next, in milliseconds. Default: as fast as the client reads. */
  readonly everyMs?: number;
  /** How long the client has to end the connection by itself afterwards, in milliseconds. Default: no time. */
  readonly lingerMs?: number;
  /** True where the connection stays afterwards; nothing more is written on it. Default: it ends. */
  readonly stays?: boolean;
}

/** Decides on the answer to a request whose body has arrived in full. */
export type Script = (request: UpstreamRequest) => Answer | Promise<Answer>;

/** Decides on the answer to a request of which only the head has arrived; `undefined` waits for the rest. */
export type EarlyScript = (request: UpstreamRequest) => Answer | undefined;

/** A handshake that did not come to its end. */
export interface FailedHandshake {
  /** In words, with the alert's name where there was one. */
  readonly reason: string;
}

/**
 * The resource server that the suite plays behind a client under test: a fixed port, a transport and a script that
 * scenarios choose, and a book of all that happens. It knows nothing of tokens and proofs.
 */
export interface CounterpartServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Since the last {@link begin}. */
  readonly connections: readonly UpstreamConnection[];
  /** Since the last {@link begin}; whose head has arrived. */
  readonly requests: readonly UpstreamRequest[];
  readonly failedHandshakes: readonly FailedHandshake[];
  /**
   * What went wrong in the counterpart itself since the last {@link begin}: a script that failed, an answer that cannot
   * be sent, an exporter value that the key log does not confirm. A scenario that sees any is inconclusive.
   */
  readonly faults: readonly string[];
  /** Why plans with the engine `openssl` cannot be met here, in words; `undefined` where they can. */
  readonly opensslUnavailable: string | undefined;
  /**
   * Begins a scenario: ends every connection, waits until the client has ended them too (bounded), clears the book,
   * and from then on meets connections as planned and answers with the script.
   */
  begin(plan: TransportPlan, script: Script): Promise<void>;
  /** Meets further connections in another way; those that stand stay. */
  meet(plan: TransportPlan): void;
  /** Answers further requests in another way. */
  answerWith(script: Script): void;
  /** Answers further requests, if it says so, before their bodies have arrived; until {@link begin} or another call. */
  answerEarly(script: EarlyScript): void;
  /** Resolves with the first thing that fits, past or future; with `undefined` after so many milliseconds. */
  awaitRequest(
    fits: (request: UpstreamRequest) => boolean,
    timeoutMs: number,
  ): Promise<UpstreamRequest | undefined>;
  /** Stops listening for a while: connections are refused. */
  refuseConnections(refuse: boolean): Promise<void>;
}
