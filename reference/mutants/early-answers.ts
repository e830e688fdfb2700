import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { answer } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { onServed } from './sessions.ts';

/** Answers in front of the check; `undefined` leaves the request to it. */
function before(
  early: (request: HttpRequest) => readonly [status: number, text: string] | undefined,
): TargetVariant {
  return {
    listener: (inner) => (request, response) => {
      const answered = early(request);
      if (answered === undefined) return inner(request, response);
      const [status, text] = answered;
      if (status === 304) {
        response.statusCode = status;
        response.end();
      } else answer(response, status, text);
      discardBody(request);
    },
  };
}

function has(request: HttpRequest, name: string): boolean {
  return fieldValues(request, name).length > 0;
}

/** Stores what was served, and serves it again to requests with the same key. */
function storing(keyOf: (request: HttpRequest) => string): TargetVariant {
  const stored = new Map<string, string>();
  return {
    listener: (inner) => (request, response) => {
      const key = keyOf(request);
      const content = request.method === 'GET' ? stored.get(key) : undefined;
      if (content !== undefined) {
        answer(response, 200, content);
        return discardBody(request);
      }
      // The path of one scenario alone, so that no other one is served from here.
      if (/\/tsbt-[a-z0-9]+$/.test(request.url ?? ''))
        onServed(response, (served) => {
          stored.set(key, served);
          return served;
        });
      inner(request, response);
    },
  };
}

/** Mistakes in which something in front of the check answers. */
export const earlyAnswersMutants: readonly Mutant[] = [
  {
    id: 'M-RS-605',
    mistake: 'answers If-None-Match with 304 before it verifies anything',
    breaks: ['RS-CACHE-15'],
    variant: () => before((request) => (has(request, 'if-none-match') ? [304, ''] : undefined)),
  },
  {
    id: 'M-RS-606',
    mistake: 'answers Range with 206 from a store of files in front of the check',
    breaks: ['RS-CACHE-15'],
    variant: () => before((request) => (has(request, 'range') ? [206, '{'] : undefined)),
  },
  {
    id: 'M-RS-607',
    mistake: 'stores responses by their path, in front of the check',
    breaks: ['RS-CACHE-15'],
    variant: () => storing(({ url = '' }) => url),
  },
  {
    id: 'M-RS-608',
    mistake: 'stores responses by path and token, in front of the check of the proof',
    breaks: ['RS-CACHE-15'],
    variant: () =>
      storing((request) => `${request.url ?? ''} ${fieldValues(request, 'authorization')[0] ?? ''}`),
  },
  {
    id: 'M-RS-609',
    mistake: 'answers If-Match with 412 before it verifies anything',
    breaks: ['RS-CACHE-15'],
    variant: () => before((request) => (has(request, 'if-match') ? [412, 'another version'] : undefined)),
  },
  {
    id: 'M-RS-610',
    mistake: 'answers If-Modified-Since with 304 before it verifies anything',
    breaks: ['RS-CACHE-15'],
    variant: () => before((request) => (has(request, 'if-modified-since') ? [304, ''] : undefined)),
  },
];
