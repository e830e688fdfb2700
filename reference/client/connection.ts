import type { IncomingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import { thumbprint } from '../proof/encoding.ts';
import type { ProofSigner } from '../proof/create.ts';
import { type DpopProofs, isUnderDpop, withDpopProof } from './dpop.ts';
import { SessionBindingError } from './errors.ts';
import { type HandshakeSettings, openTls } from './handshake.ts';
import type { ClientIdentity } from './identity.ts';
import type { ClientParts } from './parts.ts';
import type { ProofPolicy, Proofs } from './proof-source.ts';
import type { RequestFields } from './request-fields.ts';
import { boundThumbprint } from './token-binding.ts';

export interface ConnectionSettings extends HandshakeSettings {
  /** Most concurrent requests on an HTTP/2 connection. */
  readonly streams: number;
  /** How long a connection is kept without requests, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly proofs: ProofPolicy;
  /** Of a client that has a DPoP key. */
  readonly dpop: DpopProofs | undefined;
}

/**
 * One TLS connection with the proofs that were made for it. HTTP is spoken by an undici client that is
 * given this one socket and never another: undici re-sends requests on a new connection of its own
 * accord, and with it the old connection's proof.
 */
export class BoundConnection {
  /** What the client presented in the handshake. */
  readonly identity: ClientIdentity;
  readonly #thumbprint: string;
  readonly #socket: TLSSocket;
  readonly #client: Client;
  readonly #origin: URL;
  readonly #parts: ClientParts;
  readonly #proofs: Proofs;
  readonly #dpop: DpopProofs | undefined;
  readonly #capacity: number;
  #underway = 0;
  #ended = false;

  /** @throws what connecting fails with, or SessionBindingError */
  static async open(
    origin: URL,
    identity: ClientIdentity,
    settings: ConnectionSettings,
    parts: ClientParts,
    onEnd: (connection: BoundConnection) => void,
  ): Promise<BoundConnection> {
    // Before the handshake: an identity that cannot be read must leave no connection behind.
    const signer = parts.signerOf(identity);
    const socket = await openTls(origin, identity, settings, parts);
    return new BoundConnection(socket, { origin, identity, signer, settings, parts, onEnd });
  }

  private constructor(
    socket: TLSSocket,
    {
      origin,
      identity,
      signer,
      settings,
      parts,
      onEnd,
    }: {
      readonly origin: URL;
      readonly identity: ClientIdentity;
      readonly signer: ProofSigner;
      readonly settings: ConnectionSettings;
      readonly parts: ClientParts;
      readonly onEnd: (connection: BoundConnection) => void;
    },
  ) {
    this.identity = identity;
    this.#thumbprint = thumbprint(signer.certificate.raw);
    this.#socket = socket;
    this.#origin = origin;
    this.#parts = parts;
    this.#proofs = parts.proofsOf({
      signer,
      exporter: parts.exporterOf(socket),
      policy: settings.proofs,
      createProof: parts.createProof,
      socket,
    });
    this.#dpop = settings.dpop;
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

  /** Whether a token belongs here: it was proven here before, or it says that it is bound to the certificate presented here. */
  holds(token: string): boolean {
    return this.#proofs.knows(token) || boundThumbprint(token) === this.#thumbprint;
  }

  /**
   * Sends a request with its token's proofs. Each call must be followed by one of {@link release}.
   *
   * @returns the session-binding proof
   */
  send(
    options: Dispatcher.DispatchOptions,
    request: RequestFields,
    handler: Dispatcher.DispatchHandler,
  ): string | undefined {
    this.#underway += 1;
    const { token } = request;
    const { origin } = this.#origin;
    const about = token !== undefined && {
      token,
      method: options.method,
      target: this.#parts.targetOf(this.#origin, options.path),
    };
    const proof = about ? this.#proofs.proofFor(about) : undefined;
    const underDpop = isUnderDpop(request.fields);
    const dpopProof = about ? this.#dpop?.proofFor({ ...about, underDpop, origin }) : undefined;
    const headers = withDpopProof(this.#parts.withProof(request, proof), dpopProof);
    this.#client.dispatch({ ...options, origin, headers }, handler);
    return proof;
  }

  /** Says that a request is over, one way or the other. */
  release(): void {
    this.#underway -= 1;
  }

  /** The server refused a proof: the next one for this token is made anew. */
  refused(token: string, proof: string | undefined): void {
    this.#proofs.refused(token, proof);
  }

  /** Takes note of what a response says for further DPoP proofs. @returns whether it gives another nonce than was known */
  heard(headers: IncomingHttpHeaders): boolean {
    return this.#dpop?.heard(this.#origin.origin, headers) ?? false;
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
