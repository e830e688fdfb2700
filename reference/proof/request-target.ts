/** The request that a proof came with, as far as `htm` and `htu` can speak of it. */
export interface ProvenRequest {
  readonly method: string;
  /** `Host` or `:authority`; `undefined` where the request named none (HTTP/1.0). */
  readonly authority: string | undefined;
  /** Path of the request target as received: percent-encoded, without query. */
  readonly path: string;
}

const ABSOLUTE = /^https:\/\/([^/?#\\@\s]+)([^?#]*)/i;
const PATH = /^\/[^?#]*/;
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** `host:443` and `HOST` are `host` for the https scheme (RFC 9110 §4.2.3). */
function normalAuthority(authority: string): string {
  return authority.toLowerCase().replace(/:(?:443)?$/, '');
}

/**
 * Percent-encoded unreserved characters are decoded and hexadecimal digits put in upper case
 * (RFC 3986 §6.2.2); an empty path is `/`. Anything that could change the meaning stays as it is.
 */
function normalPath(path: string): string {
  if (path === '') return '/';
  return path.replace(/%([0-9a-f]{2})/gi, (encoded, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return UNRESERVED.test(character) ? character : encoded.toUpperCase();
  });
}

/**
 * Whether `htm` names the request's method. Methods are case-sensitive (RFC 9110 §9.1).
 *
 * Source: draft -06 §2.3.2.2.
 */
export function matchesMethod(htm: string, request: ProvenRequest): boolean {
  return htm === request.method;
}

/**
 * Whether `htu` names the request's target. The draft's prose says target URI and its example shows
 * a bare path, so both forms are understood: an absolute https URI whose authority and path match, or
 * a path. Query and fragment take no part. Dot segments are refused, since what they resolve to is
 * the application's business.
 *
 * Source: draft -06 §2.3.2.2, RFC 9449 §4.3, RFC 3986 §6.2.
 */
export function matchesTarget(htu: string, request: ProvenRequest): boolean {
  const absolute = ABSOLUTE.exec(htu);
  const path = absolute === null ? PATH.exec(htu)?.[0] : (absolute[2] ?? '');
  if (path === undefined || DOT_SEGMENT.test(path)) return false;
  if (absolute !== null) {
    if (request.authority === undefined) return false;
    if (normalAuthority(absolute[1] ?? '') !== normalAuthority(request.authority)) return false;
  }
  return normalPath(path) === normalPath(request.path);
}
