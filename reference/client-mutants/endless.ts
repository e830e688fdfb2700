import { codeOf } from '../sidecar/failure.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { following } from './connections.ts';
import type { ClientMutant } from './mutant.ts';
import { resending } from './resending.ts';

const IDEMPOTENT = /^(?:GET|HEAD|OPTIONS|PUT|DELETE)$/;

/** Why there is nobody to repeat a request for. */
const OVER: ReadonlySet<string> = new Set(['UND_ERR_ABORTED', 'closed', 'UND_ERR_INVALID_ARG']);
/** What the server has not processed. */
const UNPROCESSED: ReadonlySet<string> = new Set(['stream-refused', 'connection-ended']);

/** Repeats what ended without a response, if it is of this kind, at most so many times. */
export function repeating(
  isKind: (request: { readonly method: string; readonly isSent: boolean; readonly code: string }) => boolean,
  most = Number.POSITIVE_INFINITY,
): ClientVariant {
  return {
    dispatcher: resending(
      () => undefined,
      ({ options, before, error, isSent }) => {
        const code = codeOf(error);
        const { method } = options;
        return before < most && !OVER.has(code) && isKind({ method, isSent, code }) ? options : undefined;
      },
    ),
  };
}

/** A request of a method of which a second one does no more than one. */
export function isIdempotent({ method }: { readonly method: string }): boolean {
  return IDEMPOTENT.test(method);
}

/** Comes back as often as the server says when. */
function comingBack(): ClientVariant {
  return {
    dispatcher: resending(({ status, headers, options }) =>
      (status === 503 || status === 429) && headers['retry-after'] === '0' && IDEMPOTENT.test(options.method)
        ? options
        : undefined,
    ),
  };
}

/** Requests without a connection wait until one can be opened. */
function waitingForConnection(): ClientVariant {
  return {
    dispatcher: (client) =>
      client.compose((dispatch) => (options, handler) => {
        let isSent = false;
        return dispatch(options, {
          onRequestStart(controller, context) {
            isSent = true;
            handler.onRequestStart?.(controller, context);
          },
          onResponseStart: (...told) => handler.onResponseStart?.(...told),
          onResponseData: (...told) => handler.onResponseData?.(...told),
          onResponseEnd: (...told) => handler.onResponseEnd?.(...told),
          onResponseError(...told) {
            if (isSent) handler.onResponseError?.(...told);
          },
        });
      }),
  };
}

/** Mistakes with how often, and how long, a request is tried (draft -06 §3.5, Appendix B.6.1; RFC 9110 §9.2.2). */
export const endlessMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-400',
    mistake:
      'repeats a request of an idempotent method for as long as its connection ends without a response',
    breaks: ['CL-RETRY-6'],
    variant: () => repeating((request) => request.isSent && isIdempotent(request)),
  },
  {
    id: 'M-CL-401',
    mistake: 'repeats a request for as long as the server leaves its stream unprocessed',
    breaks: ['CL-RETRY-6'],
    variant: () => repeating(({ isSent, code }) => isSent && UNPROCESSED.has(code)),
  },
  {
    id: 'M-CL-402',
    mistake: 'opens one connection after another for a request for as long as the handshake fails',
    breaks: ['CL-RETRY-6'],
    variant: () => repeating(({ isSent }) => !isSent),
  },
  {
    id: 'M-CL-403',
    mistake: 'lets a request wait, without an error, for a connection that cannot be opened',
    breaks: ['CL-RETRY-6'],
    variant: waitingForConnection,
  },
  {
    id: 'M-CL-405',
    mistake: 'repeats a request for as long as it is answered 503 or 429 with Retry-After: 0',
    breaks: ['CL-RETRY-6'],
    variant: comingBack,
  },
  {
    id: 'M-CL-406',
    mistake: 'follows redirections within the server without counting them',
    breaks: ['CL-RETRY-6'],
    variant: () =>
      following((target, origin) => target.origin === origin.origin, [307, 308], Number.POSITIVE_INFINITY),
  },
];
