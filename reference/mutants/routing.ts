import { isUnder } from '../resource-server/application.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { answer, type RequestListener } from '../resource-server/protect.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { PROTECTED_PATH, type TargetVariant } from '../resource-server/target.ts';
import { PROOF_CHECKS, skipping } from './skipped-checks.ts';

/** Routers that read a request in another way than the filter that demands the proof. */

/** The path as it stands in a request target, without query and fragment. */
export function rawPath(target: string): string {
  return target.replace(/[?#].*$/s, '');
}

function isProtectedPath(path: string): boolean {
  return isUnder(path, PROTECTED_PATH);
}

/** Everything else than the protected resource. */
export const nothingHere: RequestListener = (request, response) => {
  answer(response, 404, 'there is nothing here');
  discardBody(request);
};

/** A router that takes a request for the path that it reads in it. */
export function routing(reads: (request: HttpRequest) => string): NonNullable<TargetVariant['route']> {
  return (protectedResource) => (request, response) =>
    (isProtectedPath(reads(request)) ? protectedResource : nothingHere)(request, response);
}

/**
 * A router that reads targets in its own way, behind a filter that demands the proof only of targets that are written
 * plainly; the token is validated everywhere.
 */
export function unproven(reads: (target: string) => string): TargetVariant {
  return {
    ...skipping(PROOF_CHECKS, ({ request }) => !isProtectedPath(rawPath(request.url ?? ''))),
    route: routing(({ url = '' }) => reads(url)),
  };
}

/** The same behind a filter that validates the token too, so that the handler runs for anybody. */
export function unguarded(reads: (target: string) => string, handler: RequestListener): TargetVariant {
  return {
    route: (protectedResource) => (request, response) => {
      const { url = '' } = request;
      if (isProtectedPath(rawPath(url))) return protectedResource(request, response);
      (isProtectedPath(reads(url)) ? handler : nothingHere)(request, response);
    },
  };
}

/** The reference's router. */
export const toResolved = routing(({ url = '' }) => resolved(url));

/** A filter that demands no proof of some requests, before a router that is the reference's. */
export function exempting(exempt: (request: HttpRequest) => boolean, route = toResolved): TargetVariant {
  return { ...skipping(PROOF_CHECKS, ({ request }) => exempt(request)), route };
}

/** The path with dot segments resolved, as the reference's router has it. */
export function resolved(target: string): string {
  return URL.parse(`https://resource.invalid${target.startsWith('/') ? target : '/'}`)?.pathname ?? '/';
}

/** The path with its percent-encoding undone where that is possible. */
export function decoded(target: string): string {
  const path = rawPath(target);
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
