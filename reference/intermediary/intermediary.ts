import { buffer } from 'node:stream/consumers';
import type { Dispatcher } from 'undici';
import { bearerTokenOf } from '../resource-server/credentials.ts';
import type { HttpRequest } from '../resource-server/http-message.ts';
import { answer, type ProtectedHandler } from '../resource-server/protect.ts';
import { requestFields } from '../sidecar/fields.ts';
import type { TokenExchange } from './token-exchange.ts';

export interface IntermediaryOptions {
  /** Proves the tokens of what it sends. */
  readonly client: Dispatcher;
  readonly upstream: URL;
  readonly exchange: TokenExchange;
  /** What of an inbound request's fields goes on. */
  readonly fieldsOf: (request: HttpRequest) => string[];
}

/** An inbound request's fields without anything that belongs to its own hop: credentials, proof, connection. */
export function forwardedFields({ rawHeaders, headers }: HttpRequest): string[] {
  const fields = requestFields(rawHeaders, headers.connection);
  return fields.flatMap((name, index) =>
    index % 2 === 1 || name.startsWith(':') || name.toLowerCase() === 'authorization'
      ? []
      : [name, fields[index + 1] ?? ''],
  );
}

/**
 * Serves a request by asking the next server, with a token of this server's own. It runs behind `protect`, and so
 * only where the inbound proof held: before that, the inbound token is not used for anything.
 *
 * Source: draft -06 §4.6.1.
 */
export function createIntermediary(options: IntermediaryOptions): ProtectedHandler {
  const { client, upstream, exchange, fieldsOf } = options;
  return async (request, response) => {
    const inbound = bearerTokenOf(request);
    if (typeof inbound !== 'string') throw new TypeError('a request was admitted without a token');
    const body = await buffer(request);
    let received: { status: number; type: string | undefined; text: string };
    try {
      const token = await exchange(inbound);
      const {
        statusCode,
        headers,
        body: sent,
      } = await client.request({
        origin: upstream.origin,
        path: request.url ?? '/',
        method: request.method ?? 'GET',
        headers: [...fieldsOf(request), 'Authorization', `Bearer ${token}`],
        body: body.length > 0 ? body : null,
      });
      const type = [headers['content-type']].flat()[0];
      received = { status: statusCode, type, text: await sent.text() };
    } catch {
      answer(response, 502, 'the next server could not be asked');
      return;
    }
    // Its challenges are meant for this server, not for who asked it.
    if (received.status === 401) answer(response, 502, 'the next server refused');
    else answer(response, received.status, received.text.trimEnd(), typed(received.type));
  };
}

function typed(type: string | undefined): Record<string, string> {
  return type === undefined ? {} : { 'Content-Type': type };
}
