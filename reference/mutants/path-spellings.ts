import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import type { RequestListener } from '../resource-server/protect.ts';
import { PROTECTED_PATH } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import {
  decoded,
  exempting,
  nothingHere,
  rawPath,
  resolved,
  routing,
  toResolved,
  unguarded,
  unproven,
} from './routing.ts';
import { PROOF_CHECKS, skipping } from './skipped-checks.ts';

/** The longest target that a filter looks at, in characters. */
const LOOKED_AT = 1024;

function collapsed(path: string): string {
  return path.replaceAll(/\/{2,}/g, '/');
}

/** An application whose content is another one with each request. */
function fickle(): RequestListener {
  let served = 0;
  return (request, response) => {
    served += 1;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ sub: null, client_id: null, scope: '', served, at: performance.now() }));
    request.resume();
  };
}

/** Mistakes in which filter and router disagree about the path. */
export const pathSpellingsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-550',
    mistake: 'drops path parameters in its router, and demands the proof where the path has none',
    breaks: ['RS-FLD-11'],
    variant: () =>
      unproven((target) =>
        rawPath(target)
          .replaceAll(/;[^/]*/g, '')
          .replaceAll(/\/{2,}/g, '/'),
      ),
  },
  {
    id: 'M-RS-551',
    mistake: 'resolves dot segments in its router, and demands the proof before that',
    breaks: ['RS-FLD-11', 'RS-FLD-8'],
    variant: () => unproven(resolved),
  },
  {
    id: 'M-RS-552',
    mistake: 'serves the resource under any file suffix, and demands the proof under its plain name',
    breaks: ['RS-FLD-11'],
    variant: () => unproven((target) => rawPath(target).replace(/\.[a-z]*$/, '')),
  },
  {
    id: 'M-RS-553',
    mistake: 'decodes paths in its router, and validates tokens before that',
    breaks: ['RS-FLD-11'],
    variant: () => unguarded(decoded, fickle()),
  },
  {
    id: 'M-RS-554',
    mistake:
      'decodes slashes and resolves dot segments after that in its router, and demands the proof before it',
    breaks: ['RS-FLD-11'],
    variant: () =>
      unproven((target) => (/%2f/i.test(target) ? resolved(collapsed(decoded(target))) : rawPath(target))),
  },
  {
    id: 'M-RS-555',
    mistake:
      'collapses slashes in its router, and validates tokens before that; its content changes with each request',
    breaks: ['RS-FLD-11'],
    variant: () => unguarded((target) => collapsed(rawPath(target)), fickle()),
  },
  {
    id: 'M-RS-556',
    mistake: 'reads a backslash as a slash in its router, and demands the proof before that',
    breaks: ['RS-FLD-11'],
    variant: () =>
      unproven((target) =>
        target.includes('\\') ? collapsed(resolved(target.replaceAll('\\', '/'))) : rawPath(target),
      ),
  },
  {
    id: 'M-RS-557',
    mistake: `looks at no target of more than ${LOOKED_AT} characters in its filter`,
    breaks: ['RS-FLD-11'],
    variant: () => exempting(({ url = '' }) => url.length > LOOKED_AT),
  },
  {
    id: 'M-RS-558',
    mistake: 'demands the proof of targets in absolute form if their scheme is https, and serves http too',
    breaks: ['RS-FLD-11'],
    variant: () =>
      exempting(
        ({ url = '' }) => /^http:/i.test(url),
        routing(({ url = '' }) => resolved(url.replace(/^https?:\/\/[^/]*/i, ''))),
      ),
  },
  {
    id: 'M-RS-559',
    mistake:
      'cuts dots and spaces off the end of the path, as some file systems do, after it has demanded the proof',
    breaks: ['RS-FLD-11'],
    variant: () => unproven((target) => decoded(target).replace(/[. ]+$/, '')),
  },
  {
    id: 'M-RS-560',
    mistake: 'ends the path at NUL in its router, and demands the proof of the whole of it',
    breaks: ['RS-FLD-11'],
    variant: () => unproven((target) => decoded(target).replace(/\0.*$/s, '')),
  },
  {
    id: 'M-RS-561',
    mistake: 'demands no proof of what ends like a static file, query and all',
    breaks: ['RS-FLD-11'],
    variant: () => exempting(({ url = '' }) => /\.(?:css|js|png|html)$/.test(url)),
  },
  {
    id: 'M-RS-562',
    mistake: 'demands no proof of paths that begin with /public, before dot segments are resolved',
    breaks: ['RS-FLD-11'],
    variant: () => exempting(({ url = '' }) => url.startsWith('/public')),
  },
  {
    id: 'M-RS-563',
    mistake: 'decodes paths twice in its router, and demands the proof after the first time',
    breaks: ['RS-FLD-11'],
    variant: () =>
      exempting(
        ({ url = '' }) => decoded(url) !== decoded(decoded(url)),
        routing(({ url = '' }) => decoded(decoded(url))),
      ),
  },
  {
    id: 'M-RS-564',
    mistake: 'follows X-Original-URL and X-Rewrite-URL in its router, and demands the proof before that',
    breaks: ['RS-FLD-11'],
    variant: () => {
      const rewritten = new WeakSet<HttpRequest>();
      return {
        ...skipping(PROOF_CHECKS, ({ request }) => rewritten.has(request)),
        route: (protectedResource) => (request, response) => {
          const original = ['x-original-url', 'x-rewrite-url'].flatMap((name) =>
            fieldValues(request, name),
          )[0];
          if (original === undefined) return toResolved(protectedResource)(request, response);
          if (resolved(original) !== PROTECTED_PATH) return nothingHere(request, response);
          rewritten.add(request);
          protectedResource(request, response);
        },
      };
    },
  },
  {
    id: 'M-RS-565',
    mistake: 'demands the proof of the path that X-Original-URL tells, and routes by the one of the request',
    breaks: ['RS-FLD-11'],
    variant: () =>
      exempting((request) =>
        fieldValues(request, 'x-original-url').some((path) => path.startsWith('/public')),
      ),
  },
  {
    id: 'M-RS-566',
    mistake:
      'compares paths without regard to letter case in its router, and with it where it demands the proof',
    breaks: ['RS-FLD-11', 'RS-FLD-8'],
    variant: () => unproven((target) => rawPath(target).toLowerCase()),
  },
];
