import { randomInt, X509Certificate } from 'node:crypto';
import { exportJWK, generateKeyPair, importPKCS8, SignJWT } from 'jose';
import { request } from 'undici';
import { signerOf } from '../test-bench/bench.ts';
import { createProof } from '../proof/create.ts';
import {
  type Answer,
  AUDIENCE,
  type AuthorizationServerBench,
  decoded,
  HOP,
  ISSUER,
  OPAQUE_AUDIENCE,
  SECRET,
} from './authorization-server.fixture.ts';
import { bindingsOf, dpopExchange, dpopParty, dpopToken, tokenRequestProof } from './dpop.fixture.ts';
import { ACCESS_TOKEN_TYPE, JWT_TYPE, TOKEN_EXCHANGE } from './exchange-request.ts';

/** Names an answer, and hands it on. */
type Observe = (name: string, asking: Promise<Answer>) => Promise<Answer>;

/** What a server answered, by the names of the requests, in a form that two servers can be compared in. */
export type Behaviour = Readonly<Record<string, string>>;

type Observer = (server: AuthorizationServerBench, observe: Observe) => Promise<void>;

/** Subjects that a server's behaviour is looked at by; together they touch every policy. */
const OBSERVERS: readonly Observer[] = [
  observeTokens,
  observeCertificates,
  observeReopened,
  observeRegistration,
  observeExchanges,
  observeThefts,
  observeWrongJwts,
  observeDpop,
];

/** The token of an answer, or a text that is none. */
function tokenOf({ body }: Answer, member = 'access_token'): string {
  const value = body[member];
  return typeof value === 'string' ? value : 'none';
}

async function observed(server: AuthorizationServerBench, observer: Observer): Promise<Behaviour> {
  const behaviour: Record<string, string> = {};
  await observer(server, async (name, asking) => {
    const answer = await asking;
    behaviour[name] = readable(answer, server);
    return answer;
  });
  return behaviour;
}

/** What a server does with some hundred requests: thumbprints are replaced by names, what is random is left out. */
export async function behaviourOf(server: AuthorizationServerBench): Promise<Behaviour> {
  const parts: Behaviour[] = [];
  for (const observer of OBSERVERS) parts.push(await observed(server, observer));
  return Object.assign({}, ...parts) as Behaviour;
}

/** Names of requests that a server answers in another way; it is looked at only until there is one. */
export async function differenceFrom(
  reference: Behaviour,
  server: AuthorizationServerBench,
): Promise<readonly string[]> {
  for (const observer of OBSERVERS) {
    const behaviour = await observed(server, observer);
    const different = Object.keys(behaviour).filter((name) => behaviour[name] !== reference[name]);
    if (different.length > 0) return different;
  }
  return [];
}

const RANDOM = new Set([
  'jti',
  'iat',
  'exp',
  'kid',
  'x',
  'y',
  'client_id_issued_at',
  'refresh_token',
  'client_secret',
]);

function readable({ status, body }: Answer, { identities, origin }: AuthorizationServerBench): string {
  const named = new Map(Object.entries(identities).map(([name, { thumbprint }]) => [thumbprint, name]));
  const text = JSON.stringify({ status, body }, (key, value: unknown) => {
    if (RANDOM.has(key)) return '…';
    if (key.startsWith('registration_') || key === 'error_description') return '…';
    if (key === 'access_token') return String(value).includes('.') ? decoded(value) : 'opaque';
    // A successor's time is the rest of its predecessor's, a second more or less.
    if (key === 'expires_in') return Math.ceil(Number(value) / 30) * 30;
    if (typeof value !== 'string') return value;
    return named.get(value) ?? value.replaceAll(origin, 'origin');
  });
  // Identifiers of registered clients and of keys.
  return text.replaceAll(/"(client_id|sub)":"[\w-]{43}"/g, '"$1":"…"');
}

async function observeTokens(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice, mallory } = server.identities;
  await observe('metadata', server.send('/.well-known/oauth-authorization-server', { method: 'GET' }));
  for (const client of ['alice', 'both', 'certificate', 'bearer', 'unflagged']) {
    for (const form of [{}, { resource: AUDIENCE }, { resource: OPAQUE_AUDIENCE, scope: 'tsbt.read' }]) {
      const { resource = AUDIENCE } = form;
      const name = `${client} ${Object.values(form).join(' ')}`;
      const token = tokenOf(await observe(name, server.token(client, alice, form)));
      await observe(`${name}, introspected`, server.introspect(token, resource));
      if (client !== 'alice') continue;
      await observe(`${name}, introspected by mallory`, server.introspect(token, 'mallory', mallory));
      await server.post('/token/revocation', { token, client_id: client }, alice);
      await observe(`${name}, revoked`, server.introspect(token, resource));
    }
  }
  await observe('switched off', server.token('alice', alice, { tls_session_bound_access_tokens: 'false' }));
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const dpop = await new SignJWT({ htm: 'POST', htu: `${server.origin}/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .setIssuedAt()
    .sign(privateKey);
  const form = { grant_type: 'client_credentials', client_id: 'alice' };
  const answer = await server.post('/token', form, alice, { dpop });
  const { cnf } = tokenOf(answer).includes('.') ? decoded(tokenOf(answer)).claims : { cnf: {} };
  const members = Object.keys(Object.assign({}, cnf)).sort();
  await observe('DPoP', Promise.resolve({ ...answer, body: { type: answer.body['token_type'], members } }));
}

async function observeCertificates(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice, again, mallory, stranger, own } = server.identities;
  await observe('another certificate', server.token('alice', again));
  await observe('no certificate', server.token('alice', undefined));
  await observe('somebody else', server.token('alice', mallory));
  await observe('self-signed', server.token('own', own));
  await observe('self-signed, by another', server.token('own', alice));
  const der = new X509Certificate(mallory.certificate).raw.toString('base64');
  const form = { grant_type: 'client_credentials', client_id: 'alice' };
  for (const [name, value] of [
    ['Client-Cert', `:${der}:`],
    ['X-SSL-Client-Cert', encodeURIComponent(mallory.certificate)],
  ] as const) {
    await observe(name, server.post('/token', form, alice, { [name]: value }));
  }
  await observe('x5t#S256', server.token('alice', alice, { 'x5t#S256': mallory.thumbprint }));
  const authorization = `Basic ${Buffer.from(`secret:${SECRET}`).toString('base64')}`;
  for (const identity of [alice, undefined, stranger]) {
    const asking = server.post('/token', { grant_type: 'client_credentials' }, identity, { authorization });
    await observe(
      `secret, ${identity === undefined ? 'none' : identity === alice ? 'alice' : 'stranger'}`,
      asking,
    );
  }
  const dispatcher = server.agent(alice, { connect: { maxCachedSessions: 10 } });
  for (const name of ['new', 'resumed']) {
    const { statusCode, body } = await request(`${server.origin}/token`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', connection: 'close' },
      body: new URLSearchParams(form).toString(),
    });
    const answer = { status: statusCode, headers: {}, body: (await body.json()) as Answer['body'] };
    await observe(`on a connection that is ${name}`, Promise.resolve(answer));
  }
}

/** Requests of a connection that follows on one of alice's from the same port. */
async function observeReopened(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice, mallory } = server.identities;
  for (const [name, identity] of [
    ['reopened by somebody else', mallory],
    ['reopened without a certificate', undefined],
  ] as const)
    await observe(name, reopened(server, [alice, identity]));
}

/** The answer to the last of these, who connect from the same port one after the other. */
async function reopened(
  server: AuthorizationServerBench,
  identities: readonly (typeof server.identities.alice | undefined)[],
): Promise<Answer> {
  for (let tries = 0; tries < 10; tries++) {
    const localPort = randomInt(20_000, 32_000);
    let last: Answer | undefined;
    try {
      for (const identity of identities) {
        const response = await request(`${server.origin}/token`, {
          // The type demands a port, and the one of the URL is used.
          dispatcher: server.agent(identity, { connect: { localPort, port: 0 } }),
          method: 'POST',
          // The server ends the connection, so that the port is free at once.
          reset: true,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'alice' }).toString(),
        });
        const body = (await response.body.json()) as Answer['body'];
        last = { status: response.statusCode, headers: response.headers, body };
      }
    } catch {
      // A port that something else has, or has just had.
      continue;
    }
    if (last !== undefined) return last;
  }
  throw new Error('none of ten local ports could be used twice');
}

async function observeRegistration(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  for (const value of [true, false, undefined, 'true', 'false', 1]) {
    const metadata = {
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_subject_dn: 'CN=mallory',
      tls_session_bound_access_tokens: value,
    };
    const headers = { 'content-type': 'application/json' };
    const asking = server.send('/reg', { method: 'POST', body: JSON.stringify(metadata), headers });
    const { status, body } = await observe(`registration ${JSON.stringify(value)}`, asking);
    if (status !== 201) continue;
    const client = String(body['client_id']);
    await observe(`registered ${JSON.stringify(value)}`, server.token(client, server.identities.mallory));
  }
}

async function observeExchanges(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice, hop } = server.identities;
  const mint = async (client: string, resource: string) =>
    tokenOf(await server.token(client, alice, { resource, scope: 'tsbt.read tsbt.scoped' }));
  const bound = await mint('alice', HOP);
  const subjects = { bound, unbound: await mint('bearer', HOP) };
  const own = tokenOf(await server.exchange(HOP, hop, bound));
  const type = { actor_token_type: ACCESS_TOKEN_TYPE };
  for (const [kind, subject] of Object.entries(subjects)) {
    for (const form of [
      {},
      { scope: 'tsbt.read' },
      { resource: AUDIENCE },
      { requested_token_type: JWT_TYPE },
      { audience: OPAQUE_AUDIENCE },
      { actor_token: own, ...type },
    ]) {
      const name = `exchange of ${kind}, ${Object.keys(form).join(' ')}`;
      const answer = await observe(name, server.exchange(HOP, hop, subject, form));
      if ('audience' in form)
        await observe(`${name}, told`, server.introspect(tokenOf(answer), OPAQUE_AUDIENCE));
      const refresh = {
        grant_type: 'refresh_token',
        refresh_token: tokenOf(answer, 'refresh_token'),
        client_id: HOP,
      };
      await observe(`${name}, refreshed`, server.post('/token', refresh, hop));
      const stolen = { ...refresh, client_id: 'mallory' };
      await observe(
        `${name}, refreshed by mallory`,
        server.post('/token', stolen, server.identities.mallory),
      );
    }
  }
  await observe(
    'exchange of a flagged client',
    server.exchange('alice', alice, await mint('alice', AUDIENCE)),
  );
  for (const wrong of [
    { subject_token_type: '' },
    { requested_token_type: 'urn:example:unknown' },
    { actor_token: own },
    { subject_token: 'unknown' },
    { resource: 'https://unknown.tsbt.test' },
  ]) {
    await observe(`wrong ${JSON.stringify(Object.keys(wrong))}`, server.exchange(HOP, hop, bound, wrong));
  }
}

async function observeThefts(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice, hop, mallory } = server.identities;
  const type = { actor_token_type: ACCESS_TOKEN_TYPE };
  for (const resource of [AUDIENCE, OPAQUE_AUDIENCE]) {
    const stolen = tokenOf(await server.token('alice', alice, { resource }));
    const theirs = tokenOf(await server.token('mallory', mallory, { resource }));
    await observe(`stolen, ${resource}`, server.exchange('mallory', mallory, stolen));
    await observe(`stolen by another server, ${resource}`, server.exchange(HOP, hop, stolen));
    const acting = { actor_token: stolen, ...type };
    await observe(`stolen as actor, ${resource}`, server.exchange('mallory', mallory, theirs, acting));
    const proof = createProof(signerOf(alice), { token: stolen, exporter: new Uint8Array(32), issuedAt: 0 });
    const form = {
      grant_type: TOKEN_EXCHANGE,
      client_id: 'mallory',
      subject_token: stolen,
      subject_token_type: ACCESS_TOKEN_TYPE,
    };
    const fields = { 'session-binding-proof': proof };
    await observe(`stolen with proof, ${resource}`, server.post('/token', form, mallory, fields));
  }
}

async function observeWrongJwts(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice } = server.identities;
  const key = await importPKCS8(alice.privateKey, 'ES256');
  const proof = createProof(signerOf(alice), { token: 'x', exporter: new Uint8Array(32), issuedAt: 0 });
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, sub: 'alice', client_id: 'alice', aud: AUDIENCE, exp: now + 60 };
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(key);
  const type = { subject_token_type: JWT_TYPE };
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: proof };
  await observe('proof as grant', server.post('/token', { ...grant, client_id: 'alice' }, alice));
  const loot = {
    grant_type: 'refresh_token',
    refresh_token: tokenOf(await server.token('alice', alice)),
    client_id: 'mallory',
  };
  await observe('access token as refresh token', server.post('/token', loot, server.identities.mallory));
  await observe('proof as subject', server.exchange('alice', alice, proof, type));
  await observe('forged subject', server.exchange('alice', alice, forged, type));
  const foreign = await new SignJWT({ ...claims, iss: 'https://elsewhere.test' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .sign(key);
  await observe('subject of another issuer', server.exchange('alice', alice, foreign, type));
  const assertion = await new SignJWT({
    iss: 'key',
    sub: 'key',
    aud: ISSUER,
    jti: crypto.randomUUID(),
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'tls-binding-proof+jwt' })
    .setExpirationTime('1m')
    .sign(key);
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
  await observe('proof as assertion', server.post('/token', form, alice));
  const { status, headers, body } = await server.send('/jwks', { method: 'GET' });
  const count = (body['keys'] as readonly unknown[]).length;
  await observe('JWK Set', Promise.resolve({ status, headers, body: { count } }));
}

async function observeDpop(server: AuthorizationServerBench, observe: Observe): Promise<void> {
  const { alice, hop } = server.identities;
  const [flagged, plain, recipient] = [
    await dpopParty('alice', alice),
    await dpopParty('bearer', alice),
    await dpopParty(HOP, hop),
  ];
  const bindings = async (name: string, asking: Promise<Answer>) => {
    const answer = await asking;
    await observe(name, Promise.resolve({ ...answer, body: bindingsOf(answer) }));
  };
  const unbound = tokenOf(await server.token('alice', alice));
  for (const [what, change] of [
    ['right', {}],
    ['for another method', { claims: { htm: 'GET' } }],
    ['by another key', { signer: recipient.keys.privateKey }],
  ] as const) {
    const dpop = await tokenRequestProof(server, flagged, change);
    await bindings(`exchange with a DPoP proof: ${what}`, dpopExchange(server, flagged, unbound, dpop));
  }
  for (const party of [flagged, plain]) {
    const subject = await dpopToken(server, party, { resource: HOP });
    const own = await tokenRequestProof(server, party);
    const theirs = await tokenRequestProof(server, recipient);
    const whose = `DPoP-bound token of ${party.clientId}`;
    await bindings(`${whose}, by itself`, dpopExchange(server, party, subject, own));
    await bindings(`${whose}, by its recipient`, dpopExchange(server, recipient, subject, theirs));
    await bindings(`${whose}, without proof`, dpopExchange(server, recipient, subject, undefined));
  }
}
