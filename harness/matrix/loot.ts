import type { Store } from '../../certs/store.ts';
import { Agent } from '../counterpart/agent/agent.ts';
import { startCounterpart } from '../counterpart/resource-server/server.ts';
import { forgeToken } from '../forge/token.ts';
import { proofsOf } from '../scenario/client/arrival.ts';
import type { Manifest } from '../target/manifest.ts';
import { startTarget, vantageOf } from '../target/start.ts';
import { originAt } from '../target/vantage.ts';
import type { Loot } from './journey.ts';

const PATIENCE_MS = 5000;

/**
 * Has a client send a token to a server that keeps what it is sent: from there an attacker has token and proof.
 *
 * @returns the manifest with its image, where one was built, and what was stolen: nothing where the client sends no proof
 * @throws {TargetProblem} where the client cannot be started
 */
export async function stealFrom(
  client: Manifest,
  store: Store,
): Promise<{ readonly manifest: Manifest; readonly loot: Loot | undefined }> {
  await using stack = new AsyncDisposableStack();
  const vantage = await vantageOf(client);
  const server = stack.use(await startCounterpart({ identity: store.server, address: vantage.address }));
  const http = client.capabilities.includes('http/1.1') ? 'http/1.1' : 'h2';
  const tls = client.capabilities.includes('tls1.3') ? 'TLSv1.3' : 'TLSv1.2';
  // A client that waits to be asked for a proof is asked.
  await server.begin({ tls, http }, (request) =>
    proofsOf(request).length > 0
      ? { kind: 'response', status: 200, fields: [], body: '' }
      : {
          kind: 'response',
          status: 401,
          fields: [['WWW-Authenticate', 'Bearer error="use_session_binding"']],
          body: '',
        },
  );
  const target = stack.use(
    await startTarget(client, {
      clientIdentity: store.alice['P-256'],
      serverAuthorities: store.trusted.certificate,
      upstream: originAt(vantage, server.port),
      proofClaims: 'connection',
    }),
  );
  const agent = stack.use(new Agent(target));
  const token = forgeToken(store.tokenIssuer, { boundTo: store.alice['P-256'] });
  for (let tries = 0; tries < 2; tries++) {
    const fields = [['Authorization', `Bearer ${token.compact}`]] as const;
    await agent.send({ method: 'GET', target: '/resource', fields }, PATIENCE_MS);
    const [proof] = server.requests.flatMap((request) => proofsOf(request));
    if (proof !== undefined) return { manifest: target.manifest, loot: { token, proof } };
  }
  return { manifest: target.manifest, loot: undefined };
}
