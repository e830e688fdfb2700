import type { IncomingMessage } from 'node:http';

/** What the sidecar says instead of asking the server. */
export interface Problem {
  readonly status: number;
  /** One line that quotes nothing of the request. */
  readonly text: string;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/is;

/**
 * Path and query that a request is sent to. The sidecar has one server: a request for another one, such as a
 * forward proxy would get, is refused before any token is proven (draft -06 Appendix B.4).
 */
export function destinationOf(request: IncomingMessage, upstream: URL): string | Problem {
  const target = request.url ?? '';
  if (target.startsWith('/')) return target;
  const [, authority, rest = ''] = ABSOLUTE_FORM.exec(target) ?? [];
  if (authority === undefined) return { status: 400, text: 'the request target has no path' };
  const { localPort } = request.socket;
  const here = [upstream.host, `localhost:${localPort}`, `127.0.0.1:${localPort}`, `[::1]:${localPort}`];
  if (!here.includes(authority.toLowerCase())) {
    return { status: 421, text: 'requests are sent to one server only, and this is for another one' };
  }
  return rest.startsWith('/') ? rest : `/${rest}`;
}
