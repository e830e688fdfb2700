import { errors, type Dispatcher } from 'undici';
import { defaultClientParts } from '../client/parts.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import type { ClientMutant } from './mutant.ts';
import { detached, resending } from './resending.ts';

type Handler = Dispatcher.DispatchHandler;
type Options = Dispatcher.DispatchOptions;

/** What became of a request, as it is told to a handler. */
type Fate = Required<
  Pick<Handler, 'onResponseStart' | 'onResponseData' | 'onResponseEnd' | 'onResponseError'>
>;

/** The reference client that tells otherwise what became of a request; `begun` resolves when that is sent. */
function telling(
  tell: (fate: Fate, begun: Promise<Dispatcher.DispatchController>, options: Options) => Partial<Fate>,
): NonNullable<ClientVariant['dispatcher']> {
  return (client) =>
    client.compose((dispatch) => (options, handler) => {
      const fate: Fate = {
        onResponseStart: (...told) => handler.onResponseStart?.(...told),
        onResponseData: (...told) => handler.onResponseData?.(...told),
        onResponseEnd: (...told) => handler.onResponseEnd?.(...told),
        onResponseError: (...told) => handler.onResponseError?.(...told),
      };
      const { promise: begun, resolve } = Promise.withResolvers<Dispatcher.DispatchController>();
      return dispatch(options, {
        onRequestStart(controller, context) {
          resolve(controller);
          handler.onRequestStart?.(controller, context);
        },
        ...fate,
        ...tell(fate, begun, options),
      });
    });
}

/** A response broke off after its head. */
class BrokenOff extends Error {}

/** Reads every response whole before it is passed on. */
const readingWhole = telling((fate) => {
  let start: Parameters<Fate['onResponseStart']> | undefined;
  const data: Parameters<Fate['onResponseData']>[] = [];
  return {
    onResponseStart(...told) {
      if (told[1] >= 200) start = told;
    },
    onResponseData: (...told) => void data.push(told),
    onResponseEnd(...told) {
      if (start !== undefined) fate.onResponseStart(...start);
      for (const one of data) fate.onResponseData(...one);
      fate.onResponseEnd(...told);
    },
    onResponseError(controller, error) {
      fate.onResponseError(controller, start === undefined ? error : new BrokenOff());
    },
  };
});

/** Sends what broke off once more. */
const askingAgain = resending(
  () => undefined,
  ({ options, before, error }) => (before === 0 && error instanceof BrokenOff ? options : undefined),
);

/** What could not be read of a response. */
function unreadIn(error: unknown): string {
  return error instanceof Error && 'data' in error ? String(error.data) : '';
}

/** Takes octets that are no head for the body of a response without one. */
const takingOctets = telling((fate) => {
  let started = false;
  return {
    onResponseStart(...told) {
      started = true;
      fate.onResponseStart(...told);
    },
    onResponseError(controller, error) {
      if (started || !(error instanceof errors.HTTPParserError)) {
        fate.onResponseError(controller, error);
        return;
      }
      fate.onResponseStart(controller, 200, {}, 'OK');
      fate.onResponseData(controller, Buffer.from(unreadIn(error)));
      fate.onResponseEnd(controller, {});
    },
  };
});

/** Never says that a body cannot be read further. */
const forgettingBodies = telling((fate) => {
  let started = false;
  return {
    onResponseStart(...told) {
      started = true;
      fate.onResponseStart(...told);
    },
    onResponseError(controller, error) {
      if (!started || !(error instanceof errors.HTTPParserError)) fate.onResponseError(controller, error);
    },
  };
});

/** Ends a response where the server's broke off. */
const endingAnyway = telling((fate) => {
  let started = false;
  return {
    onResponseStart(controller, status, { 'content-length': _length, ...headers }, message) {
      started ||= status >= 200;
      fate.onResponseStart(controller, status, headers, message);
    },
    onResponseError(controller, error) {
      if (started) fate.onResponseEnd(controller, {});
      else fate.onResponseError(controller, error);
    },
  };
});

/** Takes the first head for the response's, whatever its status. */
const takingInterim = telling((fate) => {
  let isOver = false;
  return {
    onResponseStart(controller, status, headers, message) {
      if (isOver) return;
      isOver = status < 200;
      fate.onResponseStart(controller, isOver ? 200 : status, headers, message);
      if (isOver) fate.onResponseEnd(controller, {});
    },
    onResponseData: (...told) => (isOver ? undefined : fate.onResponseData(...told)),
    onResponseEnd: (...told) => (isOver ? undefined : fate.onResponseEnd(...told)),
    onResponseError: (...told) => (isOver ? undefined : fate.onResponseError(...told)),
  };
});

/** In milliseconds. */
const HASTE = 500;

/** Gives up what has no head within some time. */
const hurrying = telling((fate, begun) => {
  let isOver = false;
  void begun.then((controller) => {
    setTimeout(() => {
      if (!isOver) controller.abort(new errors.HeadersTimeoutError());
    }, HASTE).unref();
  });
  return {
    onResponseStart(...told) {
      isOver = true;
      fate.onResponseStart(...told);
    },
    onResponseError(...told) {
      isOver = true;
      fate.onResponseError(...told);
    },
  };
});

/** Gives up what does not get a connection within some time. */
const notQueueing = telling((fate, begun) => {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    fate.onResponseError(detached, new Error('no connection was free'));
  }, HASTE);
  void begun.then((controller) => {
    clearTimeout(timer);
    if (isLate) controller.abort(new Error('it has been given up'));
  });
  return {
    onResponseError(...told) {
      clearTimeout(timer);
      if (!isLate) fate.onResponseError(...told);
    },
  };
});

/** Takes a token for invalid when something is wrong with a response to it. */
function givingTokensUp(): ClientVariant {
  const dead = new Set<string>();
  const { readFields } = defaultClientParts;
  return {
    dispatcher: (client, surroundings) =>
      telling((fate, _begun, { headers }) => ({
        onResponseError(controller, error) {
          if (error instanceof errors.HTTPParserError) dead.add(readFields(headers).token ?? '');
          fate.onResponseError(controller, error);
        },
      }))(client, surroundings).compose((dispatch) => (options, handler) => {
        const { token } = readFields(options.headers);
        if (token === undefined || !dead.has(token)) return dispatch(options, handler);
        queueMicrotask(() => handler.onResponseError?.(detached, new Error('the token is invalid')));
        return true;
      }),
  };
}

/** Mistakes with responses that are none, break off, stall or come slowly (draft -06 Appendix B.2; RFC 9112 §6.3, §8). */
export const brokenResponsesMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-335',
    mistake: 'reads responses whole, and sends the request again, a POST too, where one breaks off',
    breaks: ['CL-SC-11'],
    variant: () => ({
      dispatcher: (client, surroundings) => askingAgain(readingWhole(client, surroundings), surroundings),
    }),
  },
  {
    id: 'M-CL-336',
    mistake: 'takes octets that are no HTTP for a response without a head, as before HTTP/1.0',
    breaks: ['CL-SC-14'],
    variant: () => ({ dispatcher: takingOctets }),
  },
  {
    id: 'M-CL-337',
    mistake: 'lets the agent wait for the rest of a body that cannot be read',
    breaks: ['CL-SC-14'],
    variant: () => ({ dispatcher: forgettingBodies }),
  },
  {
    id: 'M-CL-338',
    mistake: 'hands on what there is of a response that broke off as if it were the whole',
    breaks: ['CL-SC-14'],
    also: ['TLSv1.3 h2 P-256'],
    variant: () => ({ dispatcher: endingAnyway }),
  },
  {
    id: 'M-CL-339',
    mistake: 'tells the agent what it could not read of a response',
    breaks: ['CL-FLD-4'],
    variant: () => ({
      sidecar: {
        problemOf(error) {
          const { status, text } = defaultSidecarParts.problemOf(error);
          return { status, text: `${text}: ${unreadIn(error)}` };
        },
      },
    }),
  },
  {
    id: 'M-CL-340',
    mistake: 'takes a token for invalid when a response to it cannot be read',
    breaks: ['CL-SC-14'],
    variant: givingTokensUp,
  },
  {
    id: 'M-CL-341',
    mistake: 'has one connection, and gives up what waits for it while a response stalls',
    breaks: ['CL-SC-14'],
    variant: () => ({ client: { connections: 1, streams: 1 }, dispatcher: notQueueing }),
  },
  {
    id: 'M-CL-342',
    mistake: 'gives up a response whose head takes longer than half a second to come',
    breaks: ['CL-SC-14'],
    variant: () => ({ dispatcher: hurrying }),
  },
  {
    id: 'M-CL-343',
    mistake: 'takes an interim response for the final one',
    breaks: ['CL-SC-14'],
    variant: () => ({ dispatcher: takingInterim }),
  },
];
