import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { BoundedMap } from '../memory/bounded-map.ts';
import { defaultSidecarParts } from '../sidecar/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { HandmadeClient, type Trailing } from './handmade-http/dispatcher.ts';
import type { ClientMutant } from './mutant.ts';
import { fieldsOf, withoutFields } from './resending.ts';
import { HANDMADE_LACKS } from './reused-connections.ts';

type Options = Dispatcher.DispatchOptions;

/** By this the agent's request is found again; it goes no further than the client. */
const MARK = 'x-agent-request';
const REMEMBERED = 1000;

/** The sidecar's own parts, which mark each request, and what has come of the marked one. */
function marking() {
  const requests = new BoundedMap<string, IncomingMessage>(REMEMBERED);
  let count = 0;
  const sidecar: NonNullable<ClientVariant['sidecar']> = {
    requestFields(request) {
      const mark = String((count += 1));
      requests.set(mark, request);
      return [...defaultSidecarParts.requestFields(request), MARK, mark];
    },
  };
  const trailersOf = (options: Options): string[] => {
    const fields = fieldsOf(options);
    return requests.get(fields[fields.indexOf(MARK) + 1] ?? '')?.rawTrailers ?? [];
  };
  return { sidecar, trailersOf };
}

/** The reference sidecar that relays the trailer section of requests, as far as it passes. */
export function relayingTrailers(passes: (name: string) => boolean): ClientVariant {
  const { sidecar, trailersOf } = marking();
  return {
    sidecar,
    dispatcher: (_client, surroundings) =>
      new HandmadeClient(surroundings, {}).compose((dispatch) => (options, handler) => {
        const trailers = (): string[] => {
          const all = trailersOf(options);
          return all.filter((_text, index) => passes(all[index - (index % 2)] ?? ''));
        };
        const trailing: Options & Trailing = { ...withoutFields(options, MARK), trailers };
        return dispatch(trailing, handler);
      }),
  };
}

/** Reads requests whole, and makes one section of the two. */
function mergingTrailers(): ClientVariant {
  const { sidecar, trailersOf } = marking();
  return {
    sidecar,
    dispatcher: (client) =>
      client.compose((dispatch) => (options, handler) => {
        const send = (body: Options['body']): void => {
          const headers = [...fieldsOf(withoutFields(options, MARK)), ...trailersOf(options)];
          dispatch({ ...options, headers, body: body ?? null }, handler);
        };
        if (options.body instanceof Readable) void buffer(options.body).then(send, () => send(null));
        else send(options.body);
        return true;
      }),
  };
}

/** Mistakes with the trailer section of an agent's request (RFC 9110 §6.5; draft -06 Appendix B.4). */
export const trailersMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-430',
    mistake: 'relays the trailer section of an agent’s request as it is, with a proof of the agent’s in it',
    breaks: ['CL-SC-2'],
    lacks: HANDMADE_LACKS,
    variant: () => relayingTrailers(() => true),
  },
  {
    id: 'M-CL-431',
    mistake: 'reads a request whole, and makes header fields of the fields in its trailer section',
    breaks: ['CL-SC-2'],
    variant: mergingTrailers,
  },
];
