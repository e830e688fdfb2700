import type { Dispatcher } from 'undici';
import { BoundedMap } from '../memory/bounded-map.ts';
import { defaultClientParts } from '../client/parts.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import type { ClientMutant } from './mutant.ts';
import { resending } from './resending.ts';

/** By this a retry knows the request that it repeats; it goes no further than the client. */
const MARK = 'x-retry-layer';
const ATTEMPTS = 3;
const REMEMBERED = 1000;

/** A retry layer beneath the making of proofs: what it repeats, it repeats proof and all, wherever it goes out now. */
function retrying(statuses: readonly number[], isForUnanswered: boolean): ClientVariant {
  const proofs = new BoundedMap<string, string | undefined>(REMEMBERED);
  let requests = 0;
  const again = ({ options, before }: { options: Dispatcher.DispatchOptions; before: number }) =>
    before + 1 < ATTEMPTS ? options : undefined;
  const layer = resending(
    (answer) => (statuses.includes(answer.status) ? again(answer) : undefined),
    (request) => (isForUnanswered ? again(request) : undefined),
  );
  return {
    dispatcher: (client, surroundings) =>
      layer(client, surroundings).compose((dispatch) => (options, handler) => {
        const { fields } = defaultClientParts.readFields(options.headers);
        return dispatch({ ...options, headers: [...fields, MARK, String((requests += 1))] }, handler);
      }),
    client: {
      parts: {
        withProof(request, proof) {
          const at = request.fields.indexOf(MARK);
          const mark = at < 0 ? '' : (request.fields[at + 1] ?? '');
          const fields = request.fields.toSpliced(at, at < 0 ? 0 : 2);
          const first = proofs.get(mark) ?? proof;
          proofs.set(mark, first);
          return defaultClientParts.withProof({ ...request, fields }, first);
        },
      },
    },
  };
}

/** Mistakes about where in the HTTP stack proofs are made. */
export const retryLayerMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-204',
    mistake:
      'has a retry layer that sends a failed request again with its first proof, on another connection',
    breaks: ['CL-EKM-5'],
    variant: () => retrying([421, 408], true),
  },
  {
    id: 'M-CL-330',
    mistake:
      'has a retry layer that sends what was answered 425 again with its first proof, wherever it goes out now',
    breaks: ['CL-EKM-5'],
    variant: () => retrying([425], false),
  },
];
