import { defaultClientParts } from '../client/parts.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import type { ClientVariant } from '../sidecar/target.ts';
import { claiming, proving, withParts } from './making.ts';
import type { ClientMutant } from './mutant.ts';
import { resending } from './resending.ts';

/** The reference client that writes one claim otherwise wherever proofs are made for single requests. */
function otherwise(name: string, value: (right: string) => string): ClientVariant {
  return claiming(name, (right) => (typeof right === 'string' ? value(right) : undefined));
}

function counting(): ClientVariant {
  return withParts(() => ({
    proofsOf(basis) {
      let count = 0;
      const counter = otherwise(CLAIM.identifier, () => String((count += 1)));
      return defaultClientParts.proofsOf({ ...basis, ...counter.client?.parts });
    },
  }));
}

function keptByTarget(): ClientVariant {
  return proving((inner) => {
    const kept = new Map<string, string>();
    return {
      proofFor(request) {
        const key = JSON.stringify([request.token, request.method, request.target]);
        const proof = kept.get(key) ?? inner.proofFor(request) ?? '';
        kept.set(key, proof);
        return proof;
      },
      refused(token, proof) {
        kept.clear();
        inner.refused(token, proof);
      },
    };
  });
}

function reusedOnRetry(): ClientVariant {
  return proving((inner) => {
    const refusedBefore = new Map<string, string>();
    return {
      proofFor(request) {
        const proof = refusedBefore.get(request.token) ?? inner.proofFor(request);
        refusedBefore.delete(request.token);
        return proof;
      },
      refused(token, proof) {
        if (proof !== undefined) refusedBefore.set(token, proof);
      },
    };
  });
}

function methodBefore303(): ClientVariant {
  let original: string | undefined;
  const variant = proving((inner) => ({
    proofFor(request) {
      const method = original ?? request.method;
      original = undefined;
      return inner.proofFor({ ...request, method });
    },
  }));
  return {
    ...variant,
    dispatcher: resending(({ status, headers, options, before }) => {
      if (status !== 303 || before > 0) return undefined;
      const target = URL.parse(headers.location ?? '', `${String(options.origin)}${options.path}`);
      if (target?.origin !== String(options.origin)) return undefined;
      original = options.method;
      return { ...options, method: 'GET', body: null, path: `${target.pathname}${target.search}` };
    }),
  };
}

/** Mistakes with jti, htm and htu (draft -06 §2.3.2.2). */
export const perRequestClaimsMutants: readonly ClientMutant[] = [
  {
    id: 'M-CL-24',
    mistake: 'sends the same jti with every proof',
    breaks: ['CL-PL-4'],
    variant: () => otherwise(CLAIM.identifier, () => 'a6f2c4e8'),
  },
  {
    id: 'M-CL-130',
    mistake: 'counts its jti from one on each connection',
    breaks: ['CL-PL-4'],
    variant: counting,
  },
  {
    id: 'M-CL-28',
    mistake: 'remembers a proof for the connection although claims of the request are wanted',
    breaks: ['CL-PL-7'],
    variant: () => ({ client: { proofs: { claims: 'connection' } } }),
  },
  {
    id: 'M-CL-131',
    mistake: 'remembers the proof of a request for the next one with the same method and target',
    breaks: ['CL-PL-4', 'CL-PL-6'],
    variant: keptByTarget,
  },
  {
    id: 'M-CL-132',
    mistake: 'sends the refused proof of a request again with the retry',
    breaks: ['CL-PL-4', 'CL-PL-6', 'CL-RETRY-2'],
    variant: reusedOnRetry,
  },
  {
    id: 'M-CL-310',
    mistake:
      'lets its HTTP/2 library send a request whose stream was refused once more, and its proof with it',
    breaks: ['CL-PL-6'],
    variant: () => withParts(() => ({ objectionToRepetition: () => undefined })),
  },
  {
    id: 'M-CL-133',
    mistake: 'keeps the query in htu',
    breaks: ['CL-PL-5'],
    variant: () => withParts(() => ({ targetOf: (origin, path) => `${origin.origin}${path}` })),
  },
  {
    id: 'M-CL-134',
    mistake: 'writes the address that the agent called into htu',
    breaks: ['CL-PL-5'],
    variant: () =>
      withParts(() => ({ targetOf: (_origin, path) => `http://127.0.0.1${path.replace(/[?#].*$/s, '')}` })),
  },
  {
    id: 'M-CL-135',
    mistake: 'leaves the port out of htu',
    breaks: ['CL-PL-5'],
    variant: () =>
      withParts(() => ({
        targetOf: (origin, path) => `https://${origin.hostname}${path.replace(/[?#].*$/s, '')}`,
      })),
  },
  {
    id: 'M-CL-136',
    mistake: 'decodes the path for htu',
    breaks: ['CL-PL-5'],
    variant: () =>
      withParts(() => ({
        targetOf: (origin, path) => decodeURIComponent(defaultClientParts.targetOf(origin, path)),
      })),
  },
  {
    id: 'M-CL-137',
    mistake: 'writes htm in lower case',
    breaks: ['CL-PL-5'],
    variant: () => otherwise(CLAIM.method, (right) => right.toLowerCase()),
  },
  {
    id: 'M-CL-138',
    mistake: 'writes GET into htm whatever the method is',
    breaks: ['CL-PL-5'],
    variant: () => otherwise(CLAIM.method, () => 'GET'),
  },
  {
    id: 'M-CL-27',
    mistake: 'follows 303 with GET, and proves the method of the request before',
    breaks: ['CL-PL-5'],
    variant: methodBefore303,
  },
];
