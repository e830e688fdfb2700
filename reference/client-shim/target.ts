import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { SessionBoundAgent } from '../client/agent.ts';
import { listenForAgents } from '../sidecar/agent-side.ts';
import { destinationOf } from '../sidecar/destination.ts';
import { requestFields, responseFields } from '../sidecar/fields.ts';
import { type Environment, readIdentity, readSettings } from '../sidecar/settings.ts';
import type { RunningTarget } from '../sidecar/target.ts';

/**
 * Starts the reference client as a target of the contract: the least that a client library needs around it. Every
 * request is read whole, sent on, and answered with the whole response.
 *
 * @param environment the contract's variables, `TSBT_…`
 * @throws SettingsError for settings that are missing or unusable
 */
export async function start(environment: Environment): Promise<RunningTarget> {
  const { listen, upstream, authorities, claims, dpopKey } = readSettings(environment);
  let identity = readIdentity(environment);
  const client = new SessionBoundAgent({
    identity: () => identity,
    tls: { ca: authorities },
    proofs: { claims },
    ...(dpopKey && { dpop: { key: dpopKey } }),
  });
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const path = destinationOf(request, upstream);
    if (typeof path !== 'string') return response.writeHead(path.status).end();
    try {
      const answer = await client.request({
        origin: upstream.origin,
        path,
        method: request.method ?? 'GET',
        headers: requestFields(request.rawHeaders, request.headers.connection),
        body: await buffer(request),
      });
      const body = Buffer.from(await answer.body.arrayBuffer());
      response.statusCode = answer.statusCode;
      for (const [name, value] of responseFields(answer.headers)) response.setHeader(name, value);
      return response.end(body);
    } catch {
      return response.headersSent ? response.destroy() : response.writeHead(502).end();
    }
  };
  const { port, close } = await listenForAgents(listen, (request, response) => void serve(request, response));
  return {
    port,
    async reload() {
      identity = readIdentity(environment);
    },
    async close() {
      await Promise.all([close(), client.destroy()]);
    },
  };
}
