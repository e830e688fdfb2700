import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** A request of `node:http` or of the compatibility API of `node:http2`. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/**
 * Every value of a request's header field, in order, one for each field line. Read from the raw
 * header section: `headers` joins or drops repeated fields, and must not be asked where a second
 * value matters. Trailers and names that merely look alike are not in it.
 *
 * @param name in lower case
 */
export function fieldValues(request: HttpRequest, name: string): readonly string[] {
  const { rawHeaders } = request;
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) {
      values.push(rawHeaders[index + 1] ?? '');
    }
  }
  return values;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([^?#]*)/i;

/**
 * Authority and path of the request target (RFC 9112 §3.2, RFC 9113 §8.3.1). The authority of an
 * absolute-form target goes before the Host field (RFC 9112 §3.2.2).
 */
export function targetOf(request: HttpRequest): { authority: string | undefined; path: string } {
  const target = request.url ?? '';
  const absolute = ABSOLUTE_FORM.exec(target);
  if (absolute !== null) return { authority: absolute[1], path: absolute[2] ?? '' };
  const end = target.search(/[?#]/);
  return { authority: authorityOf(request), path: end === -1 ? target : target.slice(0, end) };
}

function authorityOf(request: HttpRequest): string | undefined {
  const pseudo = request.httpVersionMajor === 2 ? fieldValues(request, ':authority') : [];
  const named = pseudo.length > 0 ? pseudo : fieldValues(request, 'host');
  return named.length === 1 ? named[0] : undefined;
}
