import { isUnder } from '../resource-server/application.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { answer, type RequestListener } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { PROTECTED_PATH } from '../resource-server/target.ts';
import { decoded, nothingHere, resolved, toResolved } from '../mutants/routing.ts';
import type { Variant } from './variant.ts';

/** A page for everybody, whatever the path. */
const page: RequestListener = (request, response) => {
  answer(response, 200, `Welcome. There is nothing at ${request.url?.length ?? 0} characters of path.`);
  discardBody(request);
};

/** Everything that some router would read as the protected path. */
function lenient({ url = '' }: HttpRequest): string {
  const path = decoded(url.replace(/^https?:\/\/[^/]*/i, ''))
    .replaceAll('\\', '/')
    .replaceAll(/;[^/]*/g, '')
    .replaceAll(/\/{2,}/g, '/');
  return resolved(path)
    .toLowerCase()
    .replace(/(?:%20|%00|\.)+$/, '')
    .replace(/\.[a-z]+$/, '');
}

/** Freedom in what leads to the protected resource. */
export const routingVariants: readonly Variant[] = [
  {
    id: 'V-RS-lenient-router',
    difference: 'serves the resource under every spelling of its path, each with a proof',
    variant: () => ({
      route: (protectedResource) => (request, response) =>
        (isUnder(lenient(request), PROTECTED_PATH) ? protectedResource : nothingHere)(request, response),
    }),
  },
  {
    id: 'V-RS-catch-all',
    difference: 'answers every other path with 200 and a page for everybody',
    variant: () => ({
      route: (protectedResource) => (request, response) =>
        (request.url?.startsWith(PROTECTED_PATH) === true && isUnder(resolved(request.url), PROTECTED_PATH)
          ? protectedResource
          : page)(request, response),
    }),
  },
  {
    id: 'V-RS-strict-targets',
    difference: 'answers 400 to every target that is not written plainly, and to every name but its own',
    variant: () => ({
      route: (protectedResource) => (request, response) => {
        const host = request.headers[':authority'] ?? request.headers.host ?? '';
        if (
          /^\/(?!\/)[\w/-]*(?:\?[\w=&%.-]*)?$/.test(request.url ?? '') &&
          /^localhost:\d+$/.test(String(host))
        )
          return toResolved(protectedResource)(request, response);
        answer(response, 400, 'this target is not written plainly');
        discardBody(request);
      },
    }),
  },
  {
    id: 'V-RS-redirecting-router',
    difference: 'redirects other spellings of its path to the plain one',
    variant: () => ({
      route: (protectedResource) => (request, response) => {
        if (isUnder(lenient(request), PROTECTED_PATH) && request.url?.startsWith(PROTECTED_PATH) !== true) {
          answer(response, 308, 'see there', { Location: PROTECTED_PATH });
          discardBody(request);
        } else toResolved(protectedResource)(request, response);
      },
    }),
  },
];
