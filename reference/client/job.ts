import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { ERROR } from '../proof/vocabulary.ts';
import { parseChallenges } from './challenge.ts';
import type { BoundConnection } from './connection.ts';
import { SessionBindingError } from './errors.ts';
import { readFields, type RequestFields } from './request-fields.ts';

type Controller = Dispatcher.DispatchController;

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
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

function saysProofRefused(status: number, headers: IncomingHttpHeaders): boolean {
  if (status !== 401) return false;
  return parseChallenges(headers['www-authenticate']).some(({ scheme, parameters }) => {
    const error = parameters.get('error');
    return scheme === 'bearer' && (error === ERROR.invalidProof || error === ERROR.useSessionBinding);
  });
}

/** Whether a body can be sent a second time. */
function isRepeatable(body: Dispatcher.DispatchOptions['body']): boolean {
  return body === undefined || body === null || typeof body === 'string' || body instanceof Uint8Array;
}

/** One request of a caller's, until it has its response. */
export class Job {
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #request: RequestFields;
  #proofRetries: number;
  /** How often it was put back because its connection ended. */
  moves = 0;

  constructor(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    proofRetries: number,
  ) {
    this.#options = options;
    this.#handler = handler;
    this.#request = readFields(options.headers);
    const repeatable = IDEMPOTENT.has(options.method) && isRepeatable(options.body);
    this.#proofRetries = repeatable && this.#request.token !== undefined ? proofRetries : 0;
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
    let started = false;
    let refusal: number | undefined;
    const relay: Dispatcher.DispatchHandler = {
      onRequestStart: (controller, context) => {
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
        if (this.#proofRetries > 0 && saysProofRefused(status, headers)) {
          refusal = 0;
          return;
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
          this.#proofRetries -= 1;
          if (this.#request.token !== undefined) connection.forgetProof(this.#request.token);
          over('again');
          return;
        }
        over('done');
        handler.onResponseEnd?.(controller, trailers);
      },
      onResponseError: (controller, error) => {
        const unsent = error instanceof SessionBindingError && error.code === 'connection-ended';
        if (unsent && (!started || isRepeatable(this.#options.body))) {
          over('again');
          return;
        }
        over('done');
        handler.onResponseError?.(controller, error);
      },
    };
    try {
      connection.send(this.#options, this.#request, relay);
    } catch (error) {
      over('done');
      this.fail(error as Error);
    }
  }
}
