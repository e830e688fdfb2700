import { targetOf } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import type { Mutant } from './mutant.ts';

/** Mistakes with the form of request targets (RFC 9112 §3.2). */
export const requestTargetsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-344',
    mistake: 'hands the request target to a parser of URIs, whose error nothing catches',
    breaks: ['RS-FLD-8'],
    variant: () => ({
      parts: () => ({
        targetOf(request) {
          const { authority, path } = targetOf(request);
          return { authority, path: new URL(request.url ?? '', 'https://resource.invalid').pathname && path };
        },
      }),
    }),
  },
  {
    id: 'M-RS-345',
    mistake:
      'demands the proof where the request target is a path, and its router finds the path in a URI too',
    breaks: ['RS-FLD-8'],
    variant: () => ({
      listener: (inner) => (request, response) => {
        if (request.url?.startsWith('/') !== false) return inner(request, response);
        answer(response, 200, JSON.stringify({ sub: 'alice' }));
        discardBody(request);
      },
    }),
  },
];
