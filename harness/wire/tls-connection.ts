import { isIP, connect as connectTcp, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import {
  ConnectFailure,
  DEFAULT_TIMEOUT_MS,
  type ConnectionFacts,
  type ConnectOptions,
  type Derivation,
} from './connection.ts';
import { serverEndPointOf } from './channel-bindings.ts';
import { count } from './counters.ts';
import { ExporterSource, type ExporterSecrets } from './exporter-source.ts';
import { hasExtendedMasterSecret } from './extended-master-secret.ts';
import { KeyLog } from './key-log.ts';
import { secureContextFor } from './secure-context.ts';
import { readSslSession, type SslSession } from './ssl-session.ts';
import { ServerHelloPane } from './server-hello.ts';
import { endingOf, failureOf, type Ending } from './tls-failure.ts';
import { whyWithheld } from './withheld-certificate.ts';

/** How long the target may take to answer a close_notify before its socket is dropped. */
const CLOSE_TIMEOUT_MS = 250;

/** A connection that the suite ends ends at once, whatever the target does then. */
const CLOSED_HERE = 'the connection was closed by the suite';

/** A TLS connection of `node:tls` and what is known of it, without an application protocol. */
export class TlsConnection {
  readonly socket: TLSSocket;
  readonly facts: ConnectionFacts;
  readonly tlsUnique: Buffer | undefined;
  readonly clientRandom: Buffer;
  readonly sessionId: Buffer | undefined;
  /** How the connection ended, once it has. */
  ending: Ending | undefined;
  readonly #tcp: Socket;
  readonly #exporter: ExporterSource;
  readonly #session: SslSession | undefined;
  #newestSession: Buffer | undefined;
  #wasReset = false;
  #closing = false;
  readonly #onEnd: (() => void)[] = [];

  constructor(tcp: Socket, socket: TLSSocket, handshake: Handshake) {
    const { keyLog, keyType, handshakeMs } = handshake;
    this.#tcp = tcp;
    this.socket = socket;
    const tls = socket.getProtocol() ?? 'unknown';
    const cipher = socket.getCipher().standardName;
    const session = socket.getSession();
    this.#session = session === undefined ? undefined : readSslSession(session);
    this.#exporter = new ExporterSource(
      ({ label, context, length }) =>
        // Without a context the argument must be undefined: on TLS 1.2 a zero-length one is another value.
        socket.exportKeyingMaterial(
          length,
          label,
          (context === null ? undefined : Buffer.from(context)) as Buffer,
        ),
      exporterSecretsOf(tls, cipher, handshake),
    );
    const resumed = socket.isSessionReused();
    const certificateWithheld = keyType === undefined ? undefined : whyWithheld(socket, keyType);
    this.clientRandom = keyLog.clientRandom;
    this.sessionId = this.#session?.sessionId.length ? this.#session.sessionId : undefined;
    // The first Finished is the client's in a full handshake, the server's in an abbreviated one (RFC 5929 §3.1).
    this.tlsUnique =
      tls === 'TLSv1.3' ? undefined : resumed ? socket.getPeerFinished() : socket.getFinished();
    this.facts = {
      tls,
      cipher,
      alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : 'none',
      extendedMasterSecret: hasExtendedMasterSecret(tls, this.#session),
      resumed,
      localPort: tcp.localPort ?? 0,
      exporterCheck: this.#exporter.check,
      handshakeMs,
      ...(certificateWithheld !== undefined && { certificateWithheld }),
    };
    if (tls !== 'TLSv1.3') this.#newestSession = session;
    if (resumed) count('resumptions');
    socket.on('session', (ticket) => {
      this.#newestSession = ticket;
    });
    for (const layer of [tcp, socket])
      layer.on('error', (error: Error) => {
        this.#end(endingOf(error, 'established'));
      });
    socket.on('end', () => {
      const detail = this.#closing ? CLOSED_HERE : 'the target ended the connection';
      this.#end({ kind: 'closed', detail });
    });
    socket.on('close', () => {
      this.#end({ kind: 'closed', detail: 'the connection is closed' });
    });
  }

  get serverEndPoint(): Buffer {
    const certificate = this.#session?.peerCertificate;
    return certificate === undefined ? Buffer.alloc(0) : serverEndPointOf(certificate);
  }

  exporter(derivation?: Derivation): Buffer {
    // A socket that has seen the peer's end is destroyed soon after; the library's answer is then not to be had.
    return this.#exporter.value(derivation, this.ending !== undefined || this.socket.destroyed);
  }

  /** Calls back once when the connection has ended; at once if it has. */
  onEnd(callback: () => void): void {
    if (this.ending === undefined) this.#onEnd.push(callback);
    else callback();
  }

  async session(timeoutMs: number): Promise<Buffer | undefined> {
    if (this.#newestSession !== undefined || this.ending !== undefined) return this.#newestSession;
    const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
    const timer = setTimeout(resolve, timeoutMs, undefined);
    this.socket.once('session', resolve);
    this.onEnd(() => {
      resolve(this.#newestSession);
    });
    const session = await promise;
    clearTimeout(timer);
    this.socket.off('session', resolve);
    return session;
  }

  /** Drops the connection without ceremony. */
  destroy(): void {
    if (!this.#wasReset) this.socket.destroy();
  }

  /** Sends close_notify and waits a little for the target's. */
  async close(): Promise<void> {
    const { socket } = this;
    this.#closing = true;
    if (!socket.closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      socket.once('close', resolve);
      if (!this.#wasReset) socket.end();
      await promise;
      clearTimeout(timer);
      if (!this.#wasReset) socket.destroy();
    }
    this.#end({ kind: 'closed', detail: CLOSED_HERE });
  }

  /** Ends the connection with a TCP reset. */
  reset(): void {
    this.#end({ kind: 'closed', detail: 'the connection was reset by the suite' });
    if (this.#wasReset || this.socket.destroyed) return;
    this.#wasReset = true;
    // Only this: the TLS socket follows by itself, and destroying both crashes Node.
    this.#tcp.resetAndDestroy();
  }

  #end(ending: Ending): void {
    if (this.ending !== undefined) return;
    this.ending = ending;
    for (const callback of this.#onEnd.splice(0)) callback();
  }
}

interface Handshake {
  readonly keyLog: KeyLog;
  readonly serverRandom: Buffer | undefined;
  /** Of the client's key; `undefined` without one. */
  readonly keyType: string | undefined;
  readonly handshakeMs: number;
}

function exporterSecretsOf(
  tls: string,
  cipher: string,
  { keyLog, serverRandom }: Handshake,
): ExporterSecrets | undefined {
  const { exporterSecret, masterSecret, clientRandom } = keyLog;
  if (tls === 'TLSv1.3' && exporterSecret) return { tls: '1.3', cipher, exporterSecret };
  if (tls === 'TLSv1.2' && masterSecret && serverRandom)
    return { tls: '1.2', cipher, masterSecret, clientRandom, serverRandom };
  return undefined;
}

/**
 * Makes a TCP and a TLS connection.
 *
 * @throws {ConnectFailure} for everything that the target or the way to it is at fault for
 * @throws {Error} if the identity is unusable or the exporter check fails: the harness is at fault
 */
export async function openTls(options: ConnectOptions): Promise<TlsConnection> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const secureContext = secureContextFor(options);
  const started = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<TlsConnection>();
  count('handshakes');
  const tcp = connectTcp({
    host: options.host,
    port: options.port,
    noDelay: true,
    ...(options.localPort !== undefined && { localPort: options.localPort }),
  });
  const name = options.servername === undefined ? 'localhost' : (options.servername ?? options.host);
  const pane = options.tls === 'TLSv1.2' ? new ServerHelloPane(tcp) : undefined;
  const socket = connectTls({
    socket: pane?.stream ?? tcp,
    secureContext,
    ALPNProtocols: [options.http],
    rejectUnauthorized: options.serverAuthorities !== null,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    // An IP address is no server name (RFC 6066 §3).
    ...(options.servername !== null && isIP(name) === 0 && { servername: name }),
    ...(options.session && { session: options.session }),
  });
  const keyLog = new KeyLog();
  socket.on('keylog', (line: Buffer) => {
    keyLog.add(line);
  });
  const fail = (ending: Ending): void => {
    reject(new ConnectFailure(failureOf(ending, performance.now() - started)));
    // Never both: the TLS socket follows when the TCP socket closes, and destroying both crashes Node.
    if (tcp.connecting) tcp.destroy();
    else socket.destroy();
  };
  const timer = setTimeout(() => {
    fail({ kind: 'timeout', detail: `no TLS connection within ${timeoutMs} ms` });
  }, timeoutMs);
  const onError = (error: Error): void => {
    if ('code' in error && (error.code === 'EADDRINUSE' || error.code === 'EADDRNOTAVAIL')) reject(error);
    else fail(endingOf(error, 'handshake'));
  };
  tcp.on('error', onError);
  socket.on('error', onError);
  const onClose = (): void => {
    fail({ kind: 'closed', detail: 'the target ended the connection during the TLS handshake' });
  };
  socket.once('close', onClose);
  socket.once('secureConnect', () => {
    try {
      if (options.http === 'h2' && socket.alpnProtocol !== 'h2')
        fail({ kind: 'tls-handshake', detail: 'the target did not agree to HTTP/2 (ALPN h2)' });
      else
        resolve(
          new TlsConnection(tcp, socket, {
            keyLog,
            serverRandom: pane?.serverRandom,
            keyType: options.identity?.keyType,
            handshakeMs: performance.now() - started,
          }),
        );
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
      socket.destroy();
    }
  });
  try {
    const connection = await promise;
    // From here on the connection listens for itself; after a failure these stay, for what may still come.
    socket.off('close', onClose);
    for (const layer of [tcp, socket]) layer.off('error', onError);
    return connection;
  } finally {
    clearTimeout(timer);
  }
}
