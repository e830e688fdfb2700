import type { Identity } from '../../certs/identity.ts';
import { openStore } from '../../certs/store.ts';
import type { Store } from '../../certs/store.ts';
import { Agent } from '../counterpart/agent/agent.ts';
import { Observer } from '../counterpart/observer/observer.ts';
import type { CounterpartServer } from '../counterpart/resource-server/contract.ts';
import { startCounterpart } from '../counterpart/resource-server/server.ts';
import { createRegistry } from '../run/registry.ts';
import { registrations } from '../scenario/authorization-server/registered-clients.ts';
import type { Registry } from '../scenario/authorization-server/registered-clients.ts';
import { issuerAt } from '../target/environment.ts';
import type { Manifest } from '../target/manifest.ts';
import { startTarget, vantageOf } from '../target/start.ts';
import { originAt, SAME_MACHINE } from '../target/vantage.ts';
import type { Target } from '../target/target.ts';
import { keysOf } from './tokens.ts';

/** The implementations that make up a chain: each may be anybody's. */
export interface ChainManifests {
  readonly authorizationServer: Manifest;
  readonly client: Manifest;
  readonly intermediary: Manifest;
  readonly resourceServer: Manifest;
}

/** Alice's client with an agent in front. */
export interface ClientParty {
  readonly agent: Agent;
}

/** Everybody of a chain, at work. Released with `await using`. */
export interface Parties extends AsyncDisposable {
  readonly store: Store;
  readonly registry: Registry;
  readonly issuer: string;
  /** C: serves tokens of {@link Registry.audience}. */
  readonly resourceServer: Target;
  /** B: serves tokens of {@link Registry.hop}, and asks C. */
  readonly intermediary: Target;
  /** Alice's client on the way to C, to B, and to a server that keeps what it is sent. */
  readonly toResourceServer: ClientParty;
  readonly toIntermediary: ClientParty;
  readonly toLeakingServer: ClientParty;
  readonly leakingServer: CounterpartServer;
}

/**
 * Starts all parties of a chain, each as the target contract says, with tokens of the authorization server itself.
 *
 * @throws {TargetProblem} where one cannot be started; nothing is left running then
 */
export async function startParties(manifests: ChainManifests): Promise<Parties> {
  await using stack = new AsyncDisposableStack();
  const store = await openStore();
  const registry = await createRegistry(store);
  const { server, trusted } = store;
  const authorities = {
    serverIdentity: server,
    clientAuthorities: trusted.certificate,
    serverAuthorities: trusted.certificate,
  };
  const authorizationServer = stack.use(
    await startTarget(manifests.authorizationServer, {
      ...authorities,
      audience: registry.audience,
      opaqueAudience: registry.opaqueAudience,
      shortLivedAudience: registry.shortLivedAudience,
      clients: registrations(registry),
    }),
  );
  const issuer = issuerAt(authorizationServer.port);
  const common = { ...authorities, issuer, jwks: await keysOf(issuer, trusted.certificate) };
  const resourceServer = stack.use(
    await startTarget(manifests.resourceServer, { ...common, audience: registry.audience }),
  );
  /** Where a party calls another one: one in a container by way of a relay that it can reach. */
  const originFor = async (
    caller: Manifest,
    called: { readonly host: string; readonly port: number },
  ): Promise<string> => {
    const vantage = await vantageOf(caller);
    if (vantage.name === SAME_MACHINE.name) return originAt(vantage, called.port);
    return originAt(vantage, stack.use(await Observer.open(vantage.address, called)).port);
  };
  const intermediary = stack.use(
    await startTarget(manifests.intermediary, {
      ...common,
      audience: registry.hop,
      behind: {
        upstream: await originFor(manifests.intermediary, resourceServer),
        tokenEndpoint: `${await originFor(manifests.intermediary, authorizationServer)}/token`,
        identity: registry.identities.hop,
      },
    }),
  );
  const leakingServer = stack.use(await startCounterpart({ identity: server }));
  await leakingServer.begin({ tls: 'TLSv1.3', http: 'http/1.1' }, () => ({
    kind: 'response',
    status: 200,
    fields: [],
    body: '',
  }));
  const client = async (upstream: string): Promise<ClientParty> => {
    const target = stack.use(
      await startTarget(manifests.client, {
        clientIdentity: registry.identities.alice,
        serverAuthorities: trusted.certificate,
        upstream,
        proofClaims: 'connection',
      }),
    );
    return { agent: stack.use(new Agent({ host: target.host, port: target.port })) };
  };
  const [toResourceServer, toIntermediary, toLeakingServer] = [
    await client(await originFor(manifests.client, resourceServer)),
    await client(await originFor(manifests.client, intermediary)),
    await client(await originFor(manifests.client, leakingServer)),
  ];
  const released = stack.move();
  return {
    store,
    registry,
    issuer,
    resourceServer,
    intermediary,
    toResourceServer,
    toIntermediary,
    toLeakingServer,
    leakingServer,
    [Symbol.asyncDispose]: () => released.disposeAsync(),
  };
}

/** The attacker's identity: a certificate that everybody trusts, of somebody that nobody gave a token to. */
export function attackerOf({ registry }: Parties): Identity {
  return registry.identities.mallory;
}
