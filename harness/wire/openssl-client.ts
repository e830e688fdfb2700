import type { Identity } from '../../certs/identity.ts';
import { serverEndPointOf } from './channel-bindings.ts';
import {
  CannotSend,
  DEFAULT_TIMEOUT_MS,
  type Connection,
  type ConnectOptions,
  type Derivation,
  type Outcome,
  type WireFailure,
  type WireRequest,
} from './connection.ts';
import { count } from './counters.ts';
import { ExporterSource, fullDerivation, type ExporterSecrets } from './exporter-source.ts';
import { hasExtendedMasterSecret } from './extended-master-secret.ts';
import { encodeRequest, Http1 } from './http1.ts';
import { loadLibssl, type Libssl, type Pointer, type Unavailable } from './libssl.ts';
import { OpenSslChannel, openTcp } from './openssl-channel.ts';
import { prepare, sessionOf } from './openssl-handshake.ts';
import { readSslSession } from './ssl-session.ts';

export interface OpenSslOptions extends ConnectOptions {
  /** Offer post-handshake authentication (RFC 8446 §4.2.6). Default `false`. */
  readonly postHandshakeAuth?: boolean;
  /**
   * Makes a request to send as early data (RFC 8446 §2.3); needs `session`. Given the early exporter, whose value is
   * not the connection's exporter value.
   */
  readonly earlyRequest?: (earlyExporter: (derivation?: Derivation) => Buffer) => WireRequest;
}

/** What became of early data. `none`: the session allows none, so nothing was sent. */
export type EarlyDataStatus = 'none' | 'rejected' | 'accepted';

/** An HTTP/1.1 connection that can do what `node:tls` cannot. */
export interface OpenSslConnection extends Connection {
  /** Sends a KeyUpdate (RFC 8446 §4.6.3); with `requestPeer` the target has to send its own. */
  keyUpdate(requestPeer: boolean): void;
  /**
   * Renegotiates on TLS 1.2 (RFC 5746), with another client certificate if given. Afterwards `exporter` gives the new
   * value. Returns how the target refused, if it did.
   */
  renegotiate(identity?: Identity, timeoutMs?: number): Promise<WireFailure | undefined>;
  readonly earlyData: EarlyDataStatus;
  /** The response to the early request; `undefined` unless early data was accepted. */
  readonly earlyResponse: Promise<Outcome> | undefined;
}

/** OpenSSL as a TLS client, where it can be called. */
export interface OpenSslClient {
  /**
   * Opens a connection. HTTP/1.1 only.
   *
   * @throws {ConnectFailure} if the target refuses, fails or does not answer
   * @throws {Error} if the harness is at fault
   */
  connect(options: OpenSslOptions, id?: string): Promise<OpenSslConnection>;
}

/** OpenSSL's client, or in words why there is none here: the scenario is then inconclusive, environment. */
export async function loadOpenSslClient(): Promise<OpenSslClient | Unavailable> {
  const lib = await loadLibssl();
  if ('unavailable' in lib) return lib;
  return { connect: (options, id = 'c1') => open(lib, options, id) };
}

const EARLY_STATUS: readonly EarlyDataStatus[] = ['none', 'rejected', 'accepted'];

async function open(lib: Libssl, options: OpenSslOptions, id: string): Promise<OpenSslConnection> {
  if (options.http !== 'http/1.1') throw new CannotSend('the OpenSSL client speaks HTTP/1.1 only');
  const started = performance.now();
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const authority = `${host}:${options.port}`;
  const tcp = await openTcp(options, started);
  count('handshakes');
  const handle = prepare(lib, options, options.postHandshakeAuth ?? false);
  const { ssl } = handle;
  const channel = new OpenSslChannel(lib, handle, tcp);
  const { earlyRequest } = options;
  if (earlyRequest !== undefined) {
    channel.writeEarly((early) =>
      encodeRequest(
        earlyRequest((derivation) => early(fullDerivation(derivation))),
        authority,
      ),
    );
  }
  await channel.handshake(options, started);
  const earlyData = EARLY_STATUS[lib.SSL_get_early_data_status(ssl)] ?? 'none';
  const http = new Http1(channel, authority);
  const earlyResponse =
    earlyData === 'accepted' ? http.sendOctets(new Uint8Array(), DEFAULT_TIMEOUT_MS) : undefined;
  const tls = lib.SSL_get_version(ssl);
  const cipher = lib.SSL_CIPHER_standard_name(lib.SSL_get_current_cipher(ssl));
  const resumed = lib.SSL_session_reused(ssl) === 1;
  if (resumed) count('resumptions');
  const clientRandom = random(lib.SSL_get_client_random, ssl);
  const session = sessionOf(lib, ssl);
  const facts = session === undefined ? undefined : readSslSession(session.der);
  const source = (): ExporterSource =>
    new ExporterSource((derivation) => channel.exporter(derivation), secretsOf(lib, ssl, tls, cipher));
  let exporter = source();
  const first = resumed ? lib.SSL_get_peer_finished : lib.SSL_get_finished;
  return {
    id,
    options,
    facts: {
      tls,
      cipher,
      alpn: 'http/1.1',
      extendedMasterSecret: hasExtendedMasterSecret(tls, facts),
      resumed,
      localPort: tcp.localPort ?? 0,
      exporterCheck: exporter.check,
      handshakeMs: performance.now() - started,
    },
    earlyData,
    earlyResponse,
    get open() {
      return channel.ended === undefined && http.open;
    },
    exporter: (derivation) => exporter.value(derivation, !channel.usable),
    tlsUnique: tls === 'TLSv1.3' ? undefined : finished(first, ssl),
    serverEndPoint:
      facts?.peerCertificate === undefined ? Buffer.alloc(0) : serverEndPointOf(facts.peerCertificate),
    clientRandom,
    sessionId: facts !== undefined && facts.sessionId.length > 0 ? facts.sessionId : undefined,
    send: async (request, timeoutMs = DEFAULT_TIMEOUT_MS) => http.send(request, timeoutMs),
    sendOctets: async (octets, timeoutMs = DEFAULT_TIMEOUT_MS) => http.sendOctets(octets, timeoutMs),
    abandon: async () => {
      throw new CannotSend('a stream can be abandoned on HTTP/2 only');
    },
    session: async (timeoutMs = 1000) => {
      const resumable = (): boolean => channel.usable && sessionOf(lib, ssl)?.resumable === true;
      await channel.until(resumable, timeoutMs);
      return resumable() ? sessionOf(lib, ssl)?.der : undefined;
    },
    keyUpdate: (requestPeer) => {
      channel.keyUpdate(requestPeer);
    },
    renegotiate: async (identity, timeoutMs = DEFAULT_TIMEOUT_MS) => {
      const refused = await channel.renegotiate(identity, timeoutMs);
      if (refused === undefined) exporter = source();
      return refused;
    },
    close: () => channel.close(),
    reset: () => {
      channel.reset();
    },
    [Symbol.asyncDispose]: () => channel.close(),
  };
}

/** On TLS 1.2 OpenSSL gives out all that the exporter is computed from. */
function secretsOf(lib: Libssl, ssl: Pointer, tls: string, cipher: string): ExporterSecrets | undefined {
  const session = lib.SSL_get_session(ssl);
  if (tls !== 'TLSv1.2' || session === null) return undefined;
  const masterSecret = Buffer.alloc(48);
  lib.SSL_SESSION_get_master_key(session, masterSecret, masterSecret.length);
  return {
    tls: '1.2',
    cipher,
    masterSecret,
    clientRandom: random(lib.SSL_get_client_random, ssl),
    serverRandom: random(lib.SSL_get_server_random, ssl),
  };
}

type Getter = (ssl: Pointer, into: Buffer, length: number) => number | bigint;

function random(get: Getter, ssl: Pointer): Buffer {
  const octets = Buffer.alloc(32);
  get(ssl, octets, octets.length);
  return octets;
}

function finished(get: Getter, ssl: Pointer): Buffer {
  const octets = Buffer.alloc(64);
  return octets.subarray(0, Number(get(ssl, octets, octets.length)));
}
