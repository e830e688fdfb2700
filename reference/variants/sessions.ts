import { randomUUID } from 'node:crypto';
import { onServed } from '../mutants/sessions.ts';
import { fieldValues, type HttpRequest, type HttpResponse } from '../resource-server/http-message.ts';
import type { Variant } from './variant.ts';

const ETAG = '"v1"';

/** What conditions and ranges come to, where the request is served. */
function conditional(request: HttpRequest, response: HttpResponse, content: string): string {
  const value = (name: string): string | undefined => fieldValues(request, name)[0];
  response.setHeader('ETag', ETAG);
  const match = value('if-match');
  if (match !== undefined && match !== '*' && match !== ETAG) response.statusCode = 412;
  else if (['*', ETAG].includes(value('if-none-match') ?? '')) response.statusCode = 304;
  else if (value('range') === 'bytes=0-0') {
    response.statusCode = 206;
    response.setHeader('Content-Range', `bytes 0-0/${content.length}`);
    return content.slice(0, 1);
  } else return content;
  return '';
}

/** Freedom in what a response hands out. */
export const sessionsVariants: readonly Variant[] = [
  {
    id: 'V-RS-hands-out',
    difference:
      'sets a cookie, numbers its responses and names a session, and looks at none of them when they come back',
    variant: () => ({
      listener: (inner) => (request, response) => {
        onServed(response, (content) => {
          response.setHeader('Set-Cookie', `affinity=${randomUUID()}; Secure`);
          response.setHeader('X-Request-Id', randomUUID());
          return JSON.stringify({ ...JSON.parse(content), session: randomUUID() });
        });
        inner(request, response);
      },
    }),
  },
  {
    id: 'V-RS-validators',
    difference: 'answers conditions and ranges, once a request has been verified',
    variant: () => ({
      listener: (inner) => (request, response) => {
        onServed(response, (content) => conditional(request, response, content));
        inner(request, response);
      },
    }),
  },
];
