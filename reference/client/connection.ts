import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import { exporterOf } from '../tls/exporter.ts';
import { exporterTrustedOn } from '../tls/exporter-trust.ts';
import { SessionBindingError } from './errors.ts';
import { type ProofPolicy, ProofSource } from './proof-source.ts';
import type { RequestFields } from './request-fields.ts';
import type { ProofSigner } from '../proof/create.ts';
import { PROOF_FIELD } from '../proof/vocabulary.ts';

/** The client certificate and its key, PEM. */
export interface ClientIdentity {
  /** Chain, end-entity certificate first. */
  readonly certificate: string;
  readonly key: string;
}

export interface ConnectionSettings {
  readonly identity: ClientIdentity;
  /** TLS options such as `ca` and `servername`; the server's certificate is verified in any case. */
  readonly tls: Omit<ConnectionOptions, 'cert' | 'key' | 'rejectUnauthorized' | 'session'>;
  readonly allowH2: boolean;
  /** Most concurrent requests on an HTTP/2 connection. */
  readonly streams: number;
  /** Bound on connecting and handshake, in milliseconds. */
  readonly connectTimeoutMs: number;
  /** How long a connection is kept without requests, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly proofs: ProofPolicy;
}

/** Opens a mutually authenticated TLS connection whose exporter value may be trusted. */
function handshake(origin: URL, settings: ConnectionSettings): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = tlsConnect({
    host,
    port: Number(origin.port || 443),
    ALPNProtocols: settings.allowH2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    minVersion: 'TLSv1.2',
    ...settings.tls,
    cert: settings.identity.certificate,
    key: settings.identity.key,
    rejectUnauthorized: true,
    // Renegotiation would change the exporter value in mid connection.
    secureOptions: (settings.tls.secureOptions ?? 0) | constants.SSL_OP_NO_RENEGOTIATION,
  });
  const timer = setTimeout(() => {
    socket.destroy(
      new SessionBindingError('connection-ended', `no TLS handshake with ${origin.host} in time`),
    );
  }, settings.connectTimeoutMs);
  socket.setNoDelay(true);
  socket.on('error', reject);
  socket.once('close', () => {
    clearTimeout(timer);
    reject(new SessionBindingError('connection-ended', `${origin.host} ended the connection`));
  });
  socket.once('secureConnect', () => {
    clearTimeout(timer);
    if (exporterTrustedOn(socket)) return resolve(socket);
    const message = `${origin.host} offers only TLS whose exporter values cannot be trusted`;
    socket.destroy(new SessionBindingError('exporter-not-trusted', message));
  });
  return promise;
}

/**
 * One TLS connection with the proofs that were made for it. HTTP is spoken by an undici client that is
 * given this one socket and never another: undici re-sends requests on a new connection of its own
 * accord, and with it the old connection's proof.
 */
export class BoundConnection {
  readonly #socket: TLSSocket;
  readonly #client: Client;
  readonly #origin: URL;
  readonly #proofs: ProofSource;
  readonly #capacity: number;
  #underway = 0;
  #ended = false;

  /** @throws what connecting fails with, or SessionBindingError */
  static async open(
    origin: URL,
    settings: ConnectionSettings,
    onEnd: (connection: BoundConnection) => void,
  ): Promise<BoundConnection> {
    // Before the handshake: an identity that cannot be read must leave no connection behind.
    const { passphrase } = settings.tls;
    const signer = {
      key: createPrivateKey({ key: settings.identity.key, ...(passphrase && { passphrase }) }),
      certificate: new X509Certificate(settings.identity.certificate),
    };
    return new BoundConnection(await handshake(origin, settings), origin, signer, settings, onEnd);
  }

  private constructor(
    socket: TLSSocket,
    origin: URL,
    signer: ProofSigner,
    settings: ConnectionSettings,
    onEnd: (connection: BoundConnection) => void,
  ) {
    this.#socket = socket;
    this.#origin = origin;
    this.#proofs = new ProofSource(signer, exporterOf(socket), settings.proofs);
    this.#capacity = socket.alpnProtocol === 'h2' ? settings.streams : 1;
    this.#client = this.#clientOver(settings);
    const end = () => {
      if (this.#ended) return;
      this.#ended = true;
      onEnd(this);
      // Requests that were handed over and not sent are given back with an error, and sent elsewhere.
      this.#client.close().catch(() => {});
    };
    socket.once('end', end);
    socket.once('close', end);
    this.#client.on('disconnect', end);
  }

  #clientOver(settings: ConnectionSettings): Client {
    let handedOver = false;
    return new Client(this.#origin, {
      allowH2: settings.allowH2,
      pipelining: 1,
      keepAliveTimeout: settings.idleTimeoutMs,
      connect: (_options, callback) => {
        // undici does not write a request whose connector answered before it returned.
        queueMicrotask(() => {
          if (handedOver || this.#socket.destroyed) {
            callback(new SessionBindingError('connection-ended', 'the connection has ended'), null);
            return;
          }
          handedOver = true;
          callback(null, this.#socket);
        });
      },
    });
  }

  /** Whether it can take one more request at once. */
  get free(): boolean {
    return !this.#ended && !this.#socket.destroyed && this.#underway < this.#capacity;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get idle(): boolean {
    return this.#underway === 0;
  }

  /** Sends a request with its token's proof. Each call must be followed by one of {@link release}. */
  send(
    options: Dispatcher.DispatchOptions,
    request: RequestFields,
    handler: Dispatcher.DispatchHandler,
  ): void {
    this.#underway += 1;
    const headers = [...request.fields];
    if (request.token !== undefined) {
      const target = `${this.#origin.origin}${options.path.replace(/[?#].*$/s, '')}`;
      headers.push(PROOF_FIELD, this.#proofs.proofFor(request.token, options.method, target));
    }
    this.#client.dispatch({ ...options, origin: this.#origin.origin, headers }, handler);
  }

  /** Says that a request is over, one way or the other. */
  release(): void {
    this.#underway -= 1;
  }

  /** The next proof for this token is made anew. */
  forgetProof(token: string): void {
    this.#proofs.forget(token);
  }

  async close(): Promise<void> {
    await this.#client.close().catch(() => {});
    this.#socket.destroy();
  }

  async destroy(reason: Error | null): Promise<void> {
    await this.#client.destroy(reason).catch(() => {});
    this.#socket.destroy();
  }
}
