import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Identity } from '../../../certs/identity.ts';
import { KeyLog } from '../../wire/key-log.ts';
import type { Unavailable } from '../../wire/libssl.ts';
import { endingOf } from '../../wire/tls-failure.ts';
import { deskFor, NO_SCENARIO } from './answering.ts';
import { Book } from './book.ts';
import type {
  CounterpartServer,
  EarlyScript,
  FailedHandshake,
  Script,
  TransportPlan,
  UpstreamConnection,
  UpstreamRequest,
} from './contract.ts';
import type { Established } from './established.ts';
import { refuseHandshake } from './handshake-refusal.ts';
import { Http1Service } from './http1-service.ts';
import { serveHttp2 } from './http2-service.ts';
import { establishedByNode } from './node-handshake.ts';
import { loadLibsslServer, type LibsslServer } from './openssl-binding.ts';
import { OpenSslContexts } from './openssl-context.ts';
import { establishedByOpenSsl } from './openssl-established.ts';
import { OpenSslServer, type OpenSslEvents } from './openssl-server.ts';
import { ServedConnection } from './served-connection.ts';
import { SessionStore, tlsServerFor, type TransportDefaults } from './transport.ts';
import { WrittenOctetsPane } from './written-octets.ts';

/** Where it listens unless told otherwise. */
const LOOPBACK = '127.0.0.1';
/** A client that opens more at a time has them dropped. */
const MAX_CONNECTIONS = 256;
/** How long a socket that was reset may take to be closed. */
const CLOSE_TIMEOUT_MS = 250;

export interface CounterpartOptions {
  /** Certificate and key of the server, unless a plan has its own. */
  readonly identity: Identity;
  /** OpenSSL cipher list or TLS 1.3 suites, unless a plan has its own. */
  readonly ciphers?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** The address to listen at. Default: loopback. */
  readonly address?: string;
}

/**
 * Starts the resource server that the suite plays behind a client under test, on a port that stays the same whatever is
 * planned. Until the first `begin` it speaks TLS 1.3 and HTTP/1.1, and answers 503.
 */
export async function startCounterpart(options: CounterpartOptions): Promise<CounterpartServer> {
  const counterpart = new Counterpart(options);
  await counterpart.load();
  await counterpart.listen();
  return counterpart;
}

class Counterpart implements CounterpartServer {
  readonly host: string;
  port: number;
  readonly #defaults: TransportDefaults;
  readonly #http1 = new Http1Service();
  readonly #tcp = new Map<Socket, ServedConnection | undefined>();
  #listener: Server | undefined;
  #book = new Book();
  #store = new SessionStore();
  #plan: TransportPlan = { tls: 'TLSv1.3', http: 'http/1.1' };
  #script: Script = () => NO_SCENARIO;
  #early: EarlyScript = () => undefined;
  #libssl: LibsslServer | Unavailable | undefined;
  #contexts: OpenSslContexts | undefined;

  constructor(options: CounterpartOptions) {
    this.#defaults = options;
    this.port = options.port ?? 0;
    this.host = options.address ?? LOOPBACK;
  }

  get connections(): readonly UpstreamConnection[] {
    return this.#book.connections;
  }

  get requests(): readonly UpstreamRequest[] {
    return this.#book.requests;
  }

  get failedHandshakes(): readonly FailedHandshake[] {
    return this.#book.failedHandshakes;
  }

  get opensslUnavailable(): string | undefined {
    return this.#libssl === undefined || !('unavailable' in this.#libssl)
      ? undefined
      : this.#libssl.unavailable;
  }

  get faults(): readonly string[] {
    return this.#book.faults;
  }

  async begin(plan: TransportPlan, script: Script): Promise<void> {
    // First the plan: a client that hurries back is met as the new scenario wants it.
    this.#plan = plan;
    this.#script = script;
    this.#early = () => undefined;
    this.#store = new SessionStore();
    this.#contexts?.free();
    this.#contexts = undefined;
    this.#book.close();
    this.#book = new Book();
    await this.#endAll();
    await this.refuseConnections(false);
  }

  meet(plan: TransportPlan): void {
    this.#plan = plan;
  }

  answerWith(script: Script): void {
    this.#script = script;
  }

  answerEarly(script: EarlyScript): void {
    this.#early = script;
  }

  awaitRequest(
    fits: (request: UpstreamRequest) => boolean,
    timeoutMs: number,
  ): Promise<UpstreamRequest | undefined> {
    return this.#book.awaitRequest(fits, timeoutMs);
  }

  async refuseConnections(refuse: boolean): Promise<void> {
    if (!refuse) {
      await this.listen();
      return;
    }
    // Its port is free at once; those that stand keep it from emitting `close`, which nobody waits for.
    this.#listener?.close();
    this.#listener = undefined;
  }

  async load(): Promise<void> {
    this.#libssl = await loadLibsslServer();
  }

  /** @throws {Error} if something else has taken the port in the meantime */
  async listen(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer({ noDelay: true }, (tcp) => {
      this.#accept(tcp);
    });
    listener.maxConnections = MAX_CONNECTIONS;
    this.#listener = listener;
    listener.listen(this.port, this.host);
    await once(listener, 'listening');
    // What may still go wrong is that a connection cannot be accepted; the client will tell.
    listener.on('error', () => undefined);
    this.port = (listener.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuseConnections(true);
    this.#book.close();
    await this.#endAll();
    this.#contexts?.free();
  }

  /** Ends what stands at this moment; what does not end in time, or has no handshake behind it, is reset. */
  async #endAll(): Promise<void> {
    await Promise.all(
      [...this.#tcp].map(async ([tcp, connection]) => {
        await connection?.end();
        if (tcp.closed) return;
        // Not `once`, which an error in between would reject.
        const { promise, resolve } = Promise.withResolvers<void>();
        // One whose TLS layer is just shutting down cannot be reset, and never says that it is closed.
        const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
        tcp.on('close', () => {
          resolve();
        });
        if (connection !== undefined) connection.reset();
        if (!tcp.destroyed) tcp.resetAndDestroy();
        await promise;
        clearTimeout(timer);
      }),
    );
  }

  #accept(tcp: Socket): void {
    const [plan, book] = [this.#plan, this.#book];
    const clientPort = tcp.remotePort ?? 0;
    this.#tcp.set(tcp, undefined);
    tcp.on('error', () => {
      // What it means is told by the TLS layer above.
    });
    tcp.on('close', () => this.#tcp.delete(tcp));
    try {
      const refusal = plan.refusesHandshake?.();
      if (refusal !== undefined) refuseHandshake(tcp, refusal, book);
      else if (plan.engine === 'openssl') this.#acceptByOpenSsl(tcp, plan, book, clientPort);
      else this.#acceptByNode(tcp, plan, book, clientPort);
    } catch (error) {
      book.fault(`no TLS server: ${error instanceof Error ? error.message : String(error)}`);
      tcp.destroy();
    }
  }

  #acceptByNode(tcp: Socket, plan: TransportPlan, book: Book, clientPort: number): void {
    const started = performance.now();
    const identity = plan.identity ?? this.#defaults.identity;
    const keyLog = new KeyLog();
    const pane = plan.tls === 'TLSv1.2' ? new WrittenOctetsPane(tcp) : undefined;
    const server = tlsServerFor(plan, this.#defaults, this.#store);
    server.on('keylog', (line: Buffer) => {
      keyLog.add(line);
    });
    server.on('tlsClientError', (error: Error) => {
      book.failed(endingOf(error, 'handshake').detail.replaceAll('the target', 'the client'));
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => {
        // What it means is told by the connection.
      });
      // HTTP/2 has no renegotiation (RFC 9113 §9.2.1).
      if (socket.alpnProtocol === 'h2') socket.disableRenegotiation();
      this.#established(plan, book, tcp, () =>
        establishedByNode({
          tcp,
          socket,
          keyLog,
          serverRandom: pane?.serverRandom,
          certificate: new X509Certificate(identity.certificate).raw,
          clientPort,
          handshakeMs: performance.now() - started,
        }),
      );
    });
    server.emit('connection', pane?.stream ?? tcp);
  }

  #acceptByOpenSsl(tcp: Socket, plan: TransportPlan, book: Book, clientPort: number): void {
    const started = performance.now();
    const identity = plan.identity ?? this.#defaults.identity;
    if (this.#libssl === undefined || 'unavailable' in this.#libssl)
      throw new Error(this.#libssl?.unavailable ?? 'OpenSSL is not loaded');
    this.#contexts ??= new OpenSslContexts(this.#libssl);
    const handle = this.#contexts.prepare(plan, identity);
    const events: OpenSslEvents = {
      established: (server) => {
        this.#established(plan, book, tcp, () =>
          establishedByOpenSsl(server, identity, clientPort, performance.now() - started),
        );
      },
      failed: (reason) => {
        book.failed(reason);
      },
    };
    new OpenSslServer(this.#libssl, handle, tcp, plan.earlyData === true, events).begin();
  }

  #established(plan: TransportPlan, book: Book, tcp: Socket, make: () => Established): void {
    try {
      let connection: ServedConnection | undefined;
      book.connected((id) => (connection = new ServedConnection(id, make())));
      if (connection === undefined) {
        tcp.resetAndDestroy();
        return;
      }
      this.#tcp.set(tcp, connection);
      const desk = deskFor(
        book,
        () => this.#script,
        () => this.#early,
      );
      if (connection.facts.alpn === 'h2') serveHttp2(connection, desk, plan.maxConcurrentStreams);
      else this.#http1.serve(connection, desk, plan.continues);
    } catch (error) {
      book.fault(error instanceof Error ? error.message : String(error));
      tcp.resetAndDestroy();
    }
  }
}
