import type { HttpRequest, HttpResponse } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { fieldValues } from '../resource-server/http-message.ts';
import type { Mutant } from './mutant.ts';

const UNAUTHORIZED =
  'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="session-bound"\r\nContent-Length: 0\r\n\r\n';
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
const REQUEST_LINE = /^\s*[A-Z]+ \S+ HTTP\/1\.1\r\n/;

/** Answers the body of a refused request as a loop over requests would, to which it is the next one. */
function readsOn(refused: (request: HttpRequest, response: HttpResponse) => boolean): TargetVariant {
  return {
    listener: (inner) => (request, response) => {
      const { socket } = request;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = new Promise<void>((resolve) => request.once('end', resolve));
      response.once('finish', () => {
        if (request.httpVersionMajor > 1 || !refused(request, response)) return;
        void ended.then(() => {
          const body = Buffer.concat(chunks).toString('latin1');
          if (body !== '') socket.write(REQUEST_LINE.test(body) ? UNAUTHORIZED : BAD_REQUEST);
        });
      });
      inner(request, response);
    },
  };
}

function isRefused({ statusCode }: HttpResponse): boolean {
  return statusCode === 401;
}

/** Mistakes with the body of a refused request. */
export const refusedBodiesMutants: readonly Mutant[] = [
  {
    id: 'M-RS-630',
    mistake: 'leaves the body of a refused request unread, and reads it as the next request',
    breaks: ['RS-ERR-10'],
    variant: () => readsOn((_, response) => isRefused(response)),
  },
  {
    id: 'M-RS-631',
    mistake: 'reads the body of a refused request by its length only, and chunks as the next request',
    breaks: ['RS-ERR-10'],
    variant: () =>
      readsOn(
        (request, response) => isRefused(response) && fieldValues(request, 'transfer-encoding').length > 0,
      ),
  },
  {
    id: 'M-RS-632',
    mistake:
      'takes for granted that no body follows once it has refused a request with Expect: 100-continue, and keeps the connection',
    breaks: ['RS-ERR-10'],
    variant: () => {
      const after = readsOn(
        (request, response) => isRefused(response) && fieldValues(request, 'expect').length > 0,
      );
      return {
        listener: (inner) => {
          const listener = after.listener?.(inner) ?? inner;
          return (request, response) => {
            if (fieldValues(request, 'expect').length > 0) {
              const set = response.setHeader.bind(response);
              // Node ends such a connection by itself, too.
              Object.assign(response, {
                _expect_continue: false,
                setHeader: (name: string, value: string) =>
                  name.toLowerCase() === 'connection' ? response : set(name, value),
              });
            }
            listener(request, response);
          };
        },
      };
    },
  },
];
