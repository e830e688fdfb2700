import { exportJWK, importPKCS8, importSPKI, SignJWT } from 'jose';
import { createPublicKey } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { request } from 'undici';
import {
  accessToken,
  type Answer,
  AUDIENCE,
  type AuthorizationServerBench,
  decoded,
  ISSUER,
  SHORT_LIVED_AUDIENCE,
} from '../authorization-server/authorization-server.fixture.ts';
import type { Behaviour } from '../authorization-server/behaviour.fixture.ts';
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../authorization-server/exchange-request.ts';

/** What was answered, and whose certificate a token is bound to. */
function inShort({ identities }: AuthorizationServerBench, { status, body }: Answer): string {
  const { access_token: token } = body;
  const { cnf } = typeof token === 'string' ? decoded(token).claims : { cnf: undefined };
  const { 'x5t#S256': bound } = Object.assign({ 'x5t#S256': undefined }, cnf);
  const named = Object.entries(identities).find(([, { thumbprint }]) => thumbprint === bound);
  const { error, active, tls_session_bound_access_tokens: flag } = body;
  return JSON.stringify({ status, holder: named?.[0], error, active, flag });
}

/** A token for alice on the second connection of a TLS session of hers with another certificate. */
async function onResumed(server: AuthorizationServerBench): Promise<Answer> {
  const dispatcher = server.agent(server.identities.again, { connect: { maxCachedSessions: 10 } });
  const ask = async (): Promise<Answer> => {
    const { statusCode, headers, body } = await request(`${server.origin}/token`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', connection: 'close' },
      body: 'grant_type=client_credentials&client_id=alice',
    });
    return { status: statusCode, headers, body: (await body.json()) as Answer['body'] };
  };
  await ask();
  return ask();
}

/** What is read of a client after its registration (RFC 7592 §2.1). */
async function readClient(server: AuthorizationServerBench): Promise<Answer> {
  const metadata = {
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: 'CN=mallory',
    tls_session_bound_access_tokens: true,
  };
  const headers = { 'content-type': 'application/json' };
  const { body } = await server.send('/reg', { method: 'POST', body: JSON.stringify(metadata), headers });
  const authorization = `Bearer ${String(body['registration_access_token'])}`;
  const { pathname } = new URL(String(body['registration_client_uri']));
  return server.send(pathname, { method: 'GET', headers: { authorization } });
}

/** A token that mallory has signed, and whose header has her key. */
async function withOwnKey({ identities: { mallory } }: AuthorizationServerBench): Promise<string> {
  const spki = createPublicKey(mallory.privateKey).export({ type: 'spki', format: 'pem' });
  const jwk = await exportJWK(await importSPKI(String(spki), 'ES256', { extractable: true }));
  return new SignJWT({ client_id: 'alice' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk })
    .setIssuer(ISSUER)
    .setSubject('alice')
    .setAudience(AUDIENCE)
    .setExpirationTime('1m')
    .sign(await importPKCS8(mallory.privateKey, 'ES256'));
}

/** Exchanges of and with a token that has expired. */
async function expired(server: AuthorizationServerBench): Promise<Readonly<Record<string, Answer>>> {
  const { alice } = server.identities;
  const subject = accessToken(await server.token('alice', alice));
  const brief = accessToken(await server.token('alice', alice, { resource: SHORT_LIVED_AUDIENCE }));
  const acting = { actor_token: brief, actor_token_type: ACCESS_TOKEN_TYPE };
  await setTimeout((decoded(brief).claims.exp ?? 0) * 1000 - Date.now() + 50);
  return {
    'expired subject': await server.exchange('alice', alice, brief),
    'expired actor': await server.exchange('alice', alice, subject, acting),
  };
}

/**
 * What a server does with successors of successors, with tokens that come from a wrong hand after or beside a right one,
 * with clients that are read, and with keys and sessions that are told to it: what the rest of its behaviour does not show.
 */
export async function successorsOf(server: AuthorizationServerBench): Promise<Behaviour> {
  const { alice, again, mallory } = server.identities;
  const mint = async (client: string, by: typeof alice) => accessToken(await server.token(client, by));
  const [bound, known, theirs] = [
    await mint('alice', alice),
    await mint('alice', alice),
    await mint('mallory', mallory),
  ];
  const acting = { actor_token: theirs, actor_token_type: ACCESS_TOKEN_TYPE };
  const jwt = { subject_token_type: JWT_TYPE };
  const successor = accessToken(await server.exchange('bearer', alice, bound));
  await server.exchange('alice', alice, known);
  const answers = {
    'successor of a successor': await server.exchange('bearer', alice, successor),
    'exchanged by its client with another certificate': await server.exchange('alice', again, bound),
    'stolen after its exchange': await server.exchange('mallory', mallory, known),
    'stolen beside an actor token': await server.exchange('mallory', mallory, bound, acting),
    'stolen, called a JWT': await server.exchange('mallory', mallory, bound, jwt),
    'a client that is read': await readClient(server),
    'resumed by a client with another certificate': await onResumed(server),
    ...(await expired(server)),
    'signed with the key in its header': await server.introspect(await withOwnKey(server)),
  };
  return Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, inShort(server, answer)]));
}
