import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Agent, type Dispatcher } from 'undici';
import { type ClientParts, defaultClientParts } from '../client/parts.ts';
import { listenForAgents } from '../sidecar/agent-side.ts';
import { requestFields, responseFields } from '../sidecar/fields.ts';
import { readIdentity, readSettings } from '../sidecar/settings.ts';
import { start as startSidecar } from '../sidecar/target.ts';
import type { TrivialTarget } from './target.ts';

/** Answers agents itself, and asks no server anything. */
function alone(id: string, does: string, status: number): TrivialTarget {
  const listener: RequestListener = (request, response) => {
    request.resume();
    response.writeHead(status).end();
  };
  return {
    id,
    role: 'client',
    does,
    start: async (environment) => ({
      ...(await listenForAgents(readSettings(environment).listen, listener)),
      reload: async () => undefined,
    }),
  };
}

/**
 * Sends requests on over mutual TLS, and knows nothing of session binding.
 *
 * @param added fields that every request gets
 * @param times how often each request is sent; the agent gets the last answer
 */
function forwarding(id: string, does: string, added: readonly string[], times = 1): TrivialTarget {
  return {
    id,
    role: 'client',
    does,
    async start(environment) {
      const { listen, upstream, authorities } = readSettings(environment);
      const { certificate, key } = readIdentity(environment);
      const client = new Agent({ allowH2: true, connect: { ca: authorities, cert: certificate, key } });
      const send = async (request: IncomingMessage, response: ServerResponse) => {
        const options: Dispatcher.RequestOptions = {
          origin: upstream.origin,
          path: request.url?.startsWith('/') ? request.url : '/',
          method: request.method ?? 'GET',
          headers: [...requestFields(request.rawHeaders, request.headers.connection), ...added],
          body: await buffer(request),
        };
        for (let sent = 1; sent < times; sent++) await (await client.request(options)).body.dump();
        const answer = await client.request(options);
        const body = Buffer.from(await answer.body.arrayBuffer());
        response.statusCode = answer.statusCode;
        for (const [name, value] of responseFields(answer.headers)) response.setHeader(name, value);
        response.end(body);
      };
      const agents = await listenForAgents(listen, (request, response) => {
        send(request, response).catch(() =>
          response.headersSent ? response.destroy() : response.writeHead(502).end(),
        );
      });
      return {
        reload: async () => undefined,
        close: async () => void (await Promise.all([agents.close(), client.destroy()])),
      };
    },
  };
}

const WORD = ['Session-Binding-Proof', 'proof'];

/** Clients that do one thing, whatever token, connection or answer there is. */
export const TRIVIAL_CLIENTS: readonly TrivialTarget[] = [
  alone('T-CL-204', 'sends nothing, and answers every agent 204 itself', 204),
  alone('T-CL-502', 'sends nothing, and answers every agent 502 itself', 502),
  forwarding('T-CL-no-proof', 'sends everything on without a proof', []),
  forwarding('T-CL-word', 'sends everything on with a word in place of a proof', WORD),
  forwarding('T-CL-twice', 'sends everything on twice, with a word in place of a proof', WORD, 2),
  {
    id: 'T-CL-same-proof',
    role: 'client',
    does: 'sends everything on with the first proof that it made, whatever token and connection',
    start(environment) {
      let first: string | undefined;
      const createProof: ClientParts['createProof'] = (signer, content) =>
        (first ??= defaultClientParts.createProof(signer, content));
      return startSidecar(environment, { variant: { client: { parts: { createProof } } } });
    },
  },
];
