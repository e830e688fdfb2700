import { targetOf, type HttpRequest, type HttpResponse } from './http-message.ts';
import type { ProtectedHandler } from './protect.ts';
import { discardBody } from './request-body.ts';

/** The scope that paths under `<protected>/scoped` need. */
export const SCOPED_PATH_SCOPE = 'tsbt.scoped';

/**
 * The path of a request with dot segments resolved, so that no spelling of a path
 * escapes the rule that stands for it (RFC 3986 §6.2.2.3).
 */
export function pathOf(request: HttpRequest): string {
  const { path } = targetOf(request);
  const url = URL.parse(`https://resource.invalid${path.startsWith('/') ? path : '/'}`);
  return url?.pathname ?? '/';
}

/** Whether a path is a given one or lies under it. */
export function isUnder(path: string, parent: string): boolean {
  return path === parent || path.startsWith(`${parent}/`);
}

function json(request: HttpRequest, response: HttpResponse, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.statusCode = 200;
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  response.setHeader('Cache-Control', 'no-store');
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

/**
 * The resource behind the reference server: says whose token was used, and counts.
 * `POST <protected>/counter` adds one, `GET <protected>/counter` tells the count.
 */
export function createApplication(protectedPath: string): ProtectedHandler {
  let count = 0;
  return (request, response, grant) => {
    discardBody(request);
    if (pathOf(request) === `${protectedPath}/counter`) {
      if (request.method === 'POST') count += 1;
      json(request, response, { sub: grant.subject, count });
      return;
    }
    json(request, response, {
      sub: grant.subject,
      client_id: grant.clientId,
      scope: grant.scopes.join(' '),
    });
  };
}
