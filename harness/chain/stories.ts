import type { Identity } from '../../certs/identity.ts';
import { forgeProof } from '../forge/proof.ts';
import { bearerOf, proofsOf } from '../scenario/client/arrival.ts';
import { CLIENTS } from '../scenario/authorization-server/registered-clients.ts';
import type { Target } from '../target/target.ts';
import { connect } from '../wire/connect.ts';
import { ConnectFailure } from '../wire/connection.ts';
import type { Connection, Field, Outcome } from '../wire/connection.ts';
import { attackerOf } from './parties.ts';
import type { ClientParty, Parties } from './parties.ts';
import { Teller } from './story.ts';
import type { StepOutcome, Story } from './story.ts';
import { oauthClient } from './tokens.ts';
import type { OAuthClient } from './tokens.ts';

const PATH = '/resource';
const PATIENCE_MS = 5000;

/** What an attacker has: a token as it was issued to alice, and a proof as her client sent it. */
interface Loot {
  readonly token: string;
  readonly proof: string;
}

/**
 * Plays a chain from end to end, with tokens that its authorization server issues: alice at work, directly and through
 * an intermediary, and an attacker who tries at each hop what was stolen (draft -06 §6.1, T1 to T6).
 */
export async function tellStories(parties: Parties): Promise<readonly Story[]> {
  const { registry, issuer, store } = parties;
  const teller = new Teller();
  const clientOf = (clientId: string, identity: Identity): Promise<OAuthClient> =>
    oauthClient(issuer, clientId, identity, store.trusted.certificate);
  await using alice = await clientOf(CLIENTS.bound, registry.identities.alice);
  await using mallory = await clientOf(CLIENTS.mallory, attackerOf(parties));

  await teller.story('use', 'Alice uses the resource server C, directly and through B', async (step) => {
    const [direct, chained] = [await alice.token(registry.audience), await alice.token(registry.hop)];
    await step('alice', 'sends a token for C to C', 'served', () => ask(parties.toResourceServer, direct));
    await step('alice', 'sends it again', 'served', () => ask(parties.toResourceServer, direct));
    await step('alice', 'sends a token for B to B, which exchanges it and asks C', 'served', () =>
      ask(parties.toIntermediary, chained),
    );
    await step('alice', 'exchanges a token of her own', 'served', () =>
      exchanged(alice, direct, registry.audience),
    );
  });

  const forC = await stolenFrom(parties, await alice.token(registry.audience));
  const forB = await stolenFrom(parties, await alice.token(registry.hop));
  await teller.story('T1, T3, T4', 'A thief has token and proof, and connects anew', async (step) => {
    for (const [hop, target, loot] of [
      ['C', parties.resourceServer, forC],
      ['B', parties.intermediary, forB],
    ] as const) {
      await step('thief', `sends the token alone to ${hop}, without a certificate`, 'refused', () =>
        attempt(parties, target, null, loot.token, []),
      );
      await step('thief', `sends token and proof to ${hop}, without a certificate`, 'refused', () =>
        attempt(parties, target, null, loot.token, [loot.proof]),
      );
      await step(
        'alice’s own machine',
        `sends token and captured proof to ${hop} on another connection`,
        'refused',
        () => attempt(parties, target, registry.identities.alice, loot.token, [loot.proof]),
      );
    }
  });
  await teller.story('T2', 'Mallory has a certificate of her own', async (step) => {
    const identity = attackerOf(parties);
    for (const [hop, target, loot] of [
      ['C', parties.resourceServer, forC],
      ['B', parties.intermediary, forB],
    ] as const) {
      await step('mallory', `sends token and captured proof to ${hop}`, 'refused', () =>
        attempt(parties, target, identity, loot.token, [loot.proof]),
      );
      await step('mallory', `sends the token to ${hop} with a proof of her own`, 'refused', () =>
        attempt(parties, target, identity, loot.token, 'her own'),
      );
    }
  });
  await teller.story('T5', 'A token taken at one hop is tried at another', async (step) => {
    await step('B', 'sends alice’s token for B on to C, proven with the key of B', 'refused', () =>
      attempt(parties, parties.resourceServer, registry.identities.hop, forB.token, 'her own'),
    );
    await step('alice’s own machine', 'sends a token for C to B, rightly proven', 'refused', () =>
      attempt(parties, parties.intermediary, registry.identities.alice, forC.token, 'her own'),
    );
  });
  await teller.story('T6', 'Mallory exchanges what she stole for a token of her own', async (step) => {
    await step('mallory', 'exchanges alice’s token for C', 'refused', () =>
      exchanged(mallory, forC.token, registry.audience),
    );
    await step('mallory', 'exchanges alice’s token for B', 'refused', () =>
      exchanged(mallory, forB.token, registry.audience),
    );
    await using impostor = await clientOf(CLIENTS.bound, attackerOf(parties));
    await step('mallory', 'exchanges it as alice’s client, with her own certificate', 'refused', () =>
      exchanged(impostor, forC.token, registry.audience),
    );
    await step('alice', 'goes on working', 'served', () => ask(parties.toResourceServer, forC.token));
  });
  return teller.stories;
}

/** Alice's client sends the token to a server that keeps what it is sent: from there the attacker has it. */
async function stolenFrom(parties: Parties, token: string): Promise<Loot> {
  const { leakingServer, toLeakingServer } = parties;
  for (let attempt = 0; attempt < 2; attempt++) {
    await ask(toLeakingServer, token);
    const request = leakingServer.requests.findLast((one) => bearerOf(one) === token);
    const [proof] = request === undefined ? [] : proofsOf(request);
    if (proof !== undefined) return { token, proof };
    // A client that waits to be asked is asked.
    const challenge: Field = ['WWW-Authenticate', 'Bearer error="use_session_binding"'];
    leakingServer.answerWith(() => ({ kind: 'response', status: 401, fields: [challenge], body: '' }));
  }
  throw new Error('the client sends no proof, so there is none to steal');
}

async function ask({ agent }: ClientParty, token: string): Promise<StepOutcome> {
  const fields: readonly Field[] = [['Authorization', `Bearer ${token}`]];
  return read(await agent.send({ method: 'GET', target: PATH, fields }, PATIENCE_MS));
}

/** Sends a request to a server of the chain on a new connection. */
async function attempt(
  { store }: Parties,
  target: Target,
  identity: Identity | null,
  token: string,
  proofs: readonly string[] | 'her own',
): Promise<StepOutcome> {
  let connection: Connection;
  try {
    connection = await connect({
      host: target.host,
      port: target.port,
      tls: 'TLSv1.3',
      http: 'http/1.1',
      identity,
      serverAuthorities: store.trusted.certificate,
    });
  } catch (error) {
    if (error instanceof ConnectFailure) return read(error.outcome);
    throw error;
  }
  try {
    const sent =
      proofs !== 'her own'
        ? proofs
        : identity === null
          ? []
          : [forgeProof({ token, ekm: connection.exporter(), identity })];
    const fields: readonly Field[] = [
      ['Authorization', `Bearer ${token}`],
      ...sent.map((proof) => ['Session-Binding-Proof', proof] as const),
    ];
    const authority = `localhost:${target.port}`;
    return read(await connection.send({ method: 'GET', target: PATH, authority, fields }, PATIENCE_MS));
  } finally {
    await connection[Symbol.asyncDispose]();
  }
}

function read(outcome: Outcome): StepOutcome {
  if (outcome.type === 'failure') return { served: false, text: `no response: ${outcome.detail}` };
  const challenge = outcome.fields.find(([name]) => name.toLowerCase() === 'www-authenticate')?.[1];
  const error = /error="(?<code>[a-z_]+)"/.exec(challenge ?? '')?.groups?.['code'];
  return {
    served: outcome.status >= 200 && outcome.status < 300,
    text: `${outcome.status}${error === undefined ? '' : ` ${error}`}`,
  };
}

async function exchanged(client: OAuthClient, token: string, resource: string): Promise<StepOutcome> {
  try {
    await client.exchange(token, resource);
    return { served: true, text: 'a token was issued' };
  } catch (error) {
    const code = error instanceof Error && 'error' in error ? String(error.error) : String(error);
    return { served: false, text: `no token: ${code}` };
  }
}
