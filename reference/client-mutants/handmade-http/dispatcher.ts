import { Readable } from 'node:stream';
import { Dispatcher } from 'undici';
import { openTls } from '../../client/handshake.ts';
import { isSameIdentity, signerOf, type ClientIdentity } from '../../client/identity.ts';
import { defaultClientParts } from '../../client/parts.ts';
import { defaultProofPolicy } from '../../client/proof-source.ts';
import { fieldsOf } from '../resending.ts';
import type { Surroundings } from '../../sidecar/target.ts';
import { HandmadeConnection, type Leftover } from './connection.ts';

const CONNECT_TIMEOUT = 10_000;

/** What a handmade client decides by itself; what is left out is right. */
export interface HandmadeParts {
  /** Whether a connection may carry another request. */
  readonly isReusable?: (leftover: Leftover) => boolean;
  /** Whether octets that have come since are no reason against it. */
  readonly ignoresUnread?: boolean;
  /** Whether a chunked body that its agent broke off is ended as if it were whole. Default: no. */
  readonly endsBrokenBodies?: boolean;
  /** Whether a request is repeated after 401 before the body of that has been read. Default: it is not repeated at all. */
  readonly repeatsAtOnce?: boolean;
  /** How long a body waits for 100 (Continue) where the agent expects it, in milliseconds. Default: the expectation is dropped. */
  readonly awaitsContinueMs?: number;
}

/** Nothing of the exchange is left (RFC 9112 §9.2, §9.3). */
export function isClean({ isSent, isRead, hasMore, isSwitched, isLast }: Leftover): boolean {
  return isSent && isRead && !hasMore && !isSwitched && !isLast;
}

/** What undici's options leave out. */
export interface Trailing {
  /** Fields of the trailer section, once the body is there: names and values in turn. */
  readonly trailers?: () => readonly string[];
}

type Options = Dispatcher.DispatchOptions & Trailing;

interface Pooled {
  readonly connection: HandmadeConnection;
  readonly identity: ClientIdentity;
}

/** A client with a pool of HTTP/1.1 connections of its own making: right, but for what its parts say. */
export class HandmadeClient extends Dispatcher {
  readonly #surroundings: Surroundings;
  readonly #parts: HandmadeParts;
  readonly #idle: Pooled[] = [];

  constructor(surroundings: Surroundings, parts: HandmadeParts) {
    super();
    this.#surroundings = surroundings;
    this.#parts = parts;
  }

  override dispatch(options: Options, handler: Dispatcher.DispatchHandler): boolean {
    void this.#send(options, handler, this.#parts.repeatsAtOnce === true);
    return true;
  }

  async #send(
    options: Options,
    handler: Dispatcher.DispatchHandler,
    mayRepeat: boolean,
    same?: Pooled,
  ): Promise<void> {
    const { upstream } = this.#surroundings.settings;
    let pooled: Pooled;
    try {
      pooled = same ?? this.#take() ?? (await this.#open());
    } catch (error) {
      const never = { aborted: true, paused: false, reason: null, abort() {}, pause() {}, resume() {} };
      handler.onResponseError?.(never, error as Error);
      return;
    }
    const { connection } = pooled;
    const { method, path, body } = options;
    const request = defaultClientParts.readFields(options.headers);
    const proof =
      request.token === undefined
        ? undefined
        : connection.proofs.proofFor({
            token: request.token,
            method,
            target: defaultClientParts.targetOf(upstream, path),
          });
    const { awaitsContinueMs = 0, isReusable = isClean, endsBrokenBodies = false } = this.#parts;
    let isAgain = false;
    const isExpecting = fieldsOf(options).some((text, at) => at % 2 === 0 && /^expect$/i.test(text));
    const leftover = await connection.exchange(
      {
        method,
        path,
        host: upstream.host,
        fields: defaultClientParts.withProof(request, proof),
        body: body instanceof Readable || Buffer.isBuffer(body) ? body : null,
        awaitsContinueMs: isExpecting ? awaitsContinueMs : 0,
        trailers: options.trailers ?? (() => []),
        endsBrokenBody: endsBrokenBodies,
      },
      {
        ...forwarding(handler),
        onResponseStart(controller, status, headers, message) {
          if (request.token !== undefined && defaultClientParts.asksForProof(status, headers)) {
            connection.proofs.refused(request.token, proof);
            isAgain = mayRepeat && defaultClientParts.isRepeatable(options);
          }
          if (isAgain) controller.abort(new Error('it is repeated'));
          else handler.onResponseStart?.(controller, status, headers, message);
        },
        onResponseError(controller, error) {
          if (!isAgain) handler.onResponseError?.(controller, error);
        },
      },
    );
    if (isAgain) await this.#send(options, handler, false, pooled);
    else if (connection.isOpen && isReusable(leftover)) this.#idle.push(pooled);
    else connection.socket.destroySoon();
  }

  /** The connection that was in use last. */
  #take(): Pooled | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      const { connection, identity } = last;
      const isUsable = connection.isOpen && (this.#parts.ignoresUnread === true || !connection.hasUnread);
      if (isUsable && isSameIdentity(identity, this.#surroundings.identity())) return last;
      connection.socket.destroy();
    }
    return undefined;
  }

  async #open(): Promise<Pooled> {
    const { settings, identity: current, closing } = this.#surroundings;
    const identity = current();
    const signer = signerOf(identity);
    const handshake = {
      tls: { ca: settings.authorities },
      allowH2: false,
      connectTimeoutMs: CONNECT_TIMEOUT,
    };
    const socket = await openTls(settings.upstream, identity, handshake, defaultClientParts);
    closing.addEventListener('abort', () => socket.destroy());
    const proofs = defaultClientParts.proofsOf({
      signer,
      exporter: defaultClientParts.exporterOf(socket),
      policy: { ...defaultProofPolicy, claims: settings.claims },
      socket,
    });
    return { connection: new HandmadeConnection(socket, proofs), identity };
  }
}

function forwarding(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
  };
}
