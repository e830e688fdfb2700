import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { BoundConnection } from './connection.ts';
import { asksForNonce } from './dpop.ts';
import { SessionBindingError } from './errors.ts';
import type { ClientParts } from './parts.ts';
import { isKept } from './repeatable.ts';
import type { RequestFields } from './request-fields.ts';

type Controller = Dispatcher.DispatchController;

/** Longest body of a refusal that is read to keep its connection, in octets. */
const MAXIMUM_REFUSAL = 65_536;

/** For a handler whose request never got as far as a connection. */
const neverSent: Controller = {
  aborted: true,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
};

/** One request of a caller's, until it has its response. */
export class Job {
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #request: RequestFields;
  readonly #parts: ClientParts;
  #proofRetries: number;
  /** A nonce is asked for once for each request: a server that asks again has not taken it. */
  #nonceRetries: 0 | 1;
  #streamRefused = false;
  /** How often it was put back because its connection ended. */
  moves = 0;

  constructor(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    proofRetries: number,
    parts: ClientParts,
  ) {
    this.#options = options;
    this.#handler = handler;
    this.#parts = parts;
    this.#request = parts.readFields(options.headers);
    const repeatable = parts.isRepeatable(options);
    this.#proofRetries = repeatable ? proofRetries : 0;
    this.#nonceRetries = repeatable ? 1 : 0;
  }

  /** The bearer token that the request carries. */
  get token(): string | undefined {
    return this.#request.token;
  }

  fail(error: Error): void {
    this.#handler.onResponseError?.(neverSent, error);
  }

  /**
   * Sends the request on a connection and passes the response on to the caller.
   *
   * @param over told once: `done`, or `again` where the request has to be sent again
   */
  sendOn(connection: BoundConnection, over: (outcome: 'done' | 'again') => void): void {
    const handler = this.#handler;
    const { token } = this.#request;
    let proof: string | undefined;
    let started = false;
    let refusal: number | undefined;
    let lacksNonce = false;
    const relay: Dispatcher.DispatchHandler = {
      onRequestStart: (controller, context) => {
        if (started) {
          const objection = this.#parts.objectionToRepetition(this.#streamRefused);
          this.#streamRefused = true;
          if (objection !== undefined) controller.abort(objection);
          return;
        }
        started = true;
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (
        controller: Controller,
        status: number,
        headers: IncomingHttpHeaders,
        socket: Duplex,
      ) => {
        over('done');
        handler.onRequestUpgrade?.(controller, status, headers, socket);
      },
      onResponseStarted: () => handler.onResponseStarted?.(),
      onBodySent: (chunk) => handler.onBodySent?.(chunk),
      onRequestSent: () => handler.onRequestSent?.(),
      onResponseStart: (controller, status, headers, message) => {
        lacksNonce = connection.heard(headers) && asksForNonce(status, headers);
        if (lacksNonce && this.#nonceRetries > 0) {
          refusal = 0;
          return;
        }
        if (token !== undefined && this.#parts.asksForProof(status, headers)) {
          connection.refused(token, proof);
          if (this.#proofRetries > 0) {
            refusal = 0;
            return;
          }
        }
        handler.onResponseStart?.(controller, status, headers, message);
      },
      onResponseData: (controller, chunk) => {
        if (refusal === undefined) {
          handler.onResponseData?.(controller, chunk);
          return;
        }
        refusal += chunk.length;
        if (refusal > MAXIMUM_REFUSAL) controller.abort(new Error('the refusal is too long'));
      },
      onResponseEnd: (controller, trailers) => {
        if (refusal !== undefined) {
          if (lacksNonce) this.#nonceRetries = 0;
          else this.#proofRetries -= 1;
          over('again');
          return;
        }
        over('done');
        handler.onResponseEnd?.(controller, trailers);
      },
      onResponseError: (controller, error) => {
        const unsent = error instanceof SessionBindingError && error.code === 'connection-ended';
        if (unsent && (!started || isKept(this.#options.body))) {
          over('again');
          return;
        }
        over('done');
        handler.onResponseError?.(controller, error);
      },
    };
    try {
      proof = connection.send(this.#options, this.#request, relay);
    } catch (error) {
      over('done');
      this.fail(error as Error);
    }
  }
}
