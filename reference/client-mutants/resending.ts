import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { defaultClientParts } from '../client/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';

type Options = Dispatcher.DispatchOptions;

/** A response, and what it came to. */
interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The request as it was sent last. */
  readonly options: Options;
  /** How often the request was sent before. */
  readonly before: number;
}

/** A request that failed. */
interface Unanswered extends Pick<Answer, 'options' | 'before'> {
  readonly error: Error;
  /** Whether it had a connection. */
  readonly isSent: boolean;
}

/** For what undici has no part in. */
export const detached: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => {},
  pause: () => {},
  resume: () => {},
};

/** A request whose body can be sent any number of times. */
async function keeping(options: Options): Promise<Options> {
  return options.body instanceof Readable ? { ...options, body: await buffer(options.body) } : options;
}

/**
 * The reference client that sends some requests again, in one way or another. What goes to a plain HTTP
 * origin is sent by undici itself.
 *
 * @param next the request to send instead of passing the response on; `undefined` to pass it on
 * @param unanswered the same where the request failed before there was a response
 */
export function resending(
  next: (answer: Answer) => Options | undefined,
  unanswered: (request: Unanswered) => Options | undefined = () => undefined,
): NonNullable<ClientVariant['dispatcher']> {
  return (client, { closing }) => {
    const plain = new Agent();
    closing.addEventListener('abort', () => void plain.destroy());
    return client.compose((dispatch) => (first, handler) => {
      const send = (options: Options, before: number): void => {
        let again: Options | undefined;
        let answered = false;
        let isSent = false;
        const relay: Dispatcher.DispatchHandler = {
          onRequestStart(controller, context) {
            isSent = true;
            handler.onRequestStart?.(controller, context);
          },
          onResponseStart(controller, status, headers, message) {
            again = status < 200 ? undefined : next({ status, headers, options, before });
            answered ||= status >= 200;
            if (again === undefined) handler.onResponseStart?.(controller, status, headers, message);
          },
          onResponseData(controller, chunk) {
            if (again === undefined) handler.onResponseData?.(controller, chunk);
          },
          onResponseEnd(controller, trailers) {
            if (again === undefined) handler.onResponseEnd?.(controller, trailers);
            else send(again, before + 1);
          },
          onResponseError(controller, error) {
            const another = answered ? undefined : unanswered({ options, before, error, isSent });
            if (another === undefined) handler.onResponseError?.(controller, error);
            else send(another, before + 1);
          },
        };
        if (String(options.origin).startsWith('http:')) plain.dispatch(options, relay);
        else dispatch(options, relay);
      };
      void keeping(first).then((options) => send(options, 0));
      return true;
    });
  };
}

/** A request's fields as a flat list. */
export function fieldsOf(options: Options): string[] {
  return [...defaultClientParts.readFields(options.headers).fields];
}

/** A request without the fields of these names, which are in lower case. */
export function withoutFields(options: Options, ...names: readonly string[]): Options {
  const headers = fieldsOf(options).filter((_text, index, all) => {
    const name = all[index - (index % 2)] ?? '';
    return !names.includes(name.toLowerCase());
  });
  return { ...options, headers };
}

/** Mark of a request that is to be sent without a proof; it goes no further than the client. */
const UNPROVEN = 'x-unproven';

export function unproven(options: Options): Options {
  return { ...options, headers: [...fieldsOf(options), UNPROVEN, '1'] };
}

/** Parts that heed {@link unproven}. */
export const heedingUnproven = {
  readFields(headers: Options['headers']) {
    const { fields, token } = defaultClientParts.readFields(headers);
    const index = fields.indexOf(UNPROVEN);
    return index === -1 ? { fields, token } : { fields: fields.toSpliced(index, 2), token: undefined };
  },
};

/** The fields that mark a request as {@link unproven}. */
export const UNPROVEN_FIELDS: readonly string[] = [UNPROVEN, '1'];
