import { setTimeout } from 'node:timers/promises';
import { importPKCS8, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProof } from '../proof/create.ts';
import { EXPORTER_LABEL } from '../proof/vocabulary.ts';
import { signerOf } from '../test-bench/bench.ts';
import {
  accessToken,
  AUDIENCE,
  type AuthorizationServerBench,
  decoded,
  HOP,
  OPAQUE_AUDIENCE,
  SHORT_LIVED_AUDIENCE,
  startAuthorizationServer,
} from './authorization-server.fixture.ts';
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from './exchange-request.ts';
import { start } from './target.ts';

let server: AuthorizationServerBench;

beforeAll(async () => {
  server = await startAuthorizationServer(start);
});
afterAll(() => server[Symbol.asyncDispose]());

const boundTo = (thumbprint: string) => ({ 'x5t#S256': thumbprint, tls_exp: EXPORTER_LABEL });
const minted = async (clientId: string, resource: string) =>
  accessToken(await server.token(clientId, server.identities.alice, { resource, scope: 'tsbt.read' }));

describe('an exchange', () => {
  test.each([AUDIENCE, OPAQUE_AUDIENCE])('by the holder of a token for %s', async (resource) => {
    const { alice } = server.identities;
    const { status, body } = await server.exchange('alice', alice, await minted('alice', resource), {
      scope: 'tsbt.read',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: 'Bearer',
      scope: 'tsbt.read',
    });
    const { claims } = decoded(body['access_token']);
    expect(claims).toMatchObject({ sub: 'alice', client_id: 'alice', aud: AUDIENCE });
    expect(claims['cnf']).toEqual(boundTo(alice.thumbprint));
    expect(claims['act']).toBeUndefined();
  });

  test.each([
    [AUDIENCE, ACCESS_TOKEN_TYPE],
    [AUDIENCE, JWT_TYPE],
    [OPAQUE_AUDIENCE, JWT_TYPE],
  ])('by the recipient is bound to the recipient (%s, %s)', async (resource, requested_token_type) => {
    const { hop } = server.identities;
    const form = { resource, requested_token_type };
    const { status, body } = await server.exchange(HOP, hop, await minted('alice', HOP), form);
    expect([status, body['issued_token_type'], body['token_type']]).toEqual([
      200,
      requested_token_type,
      'Bearer',
    ]);
    const { claims } = decoded(body['access_token']);
    expect(claims).toMatchObject({ sub: 'alice', client_id: HOP, aud: resource, act: { sub: HOP } });
    expect(claims['cnf']).toEqual(boundTo(hop.thumbprint));
  });

  test('for an opaque token binds what introspection tells', async () => {
    const { hop } = server.identities;
    const answer = await server.exchange(HOP, hop, await minted('alice', HOP), { audience: OPAQUE_AUDIENCE });
    const { body } = await server.introspect(accessToken(answer), OPAQUE_AUDIENCE);
    expect(body).toMatchObject({ active: true, sub: 'alice', client_id: HOP, act: { sub: HOP } });
    expect(body['cnf']).toEqual(boundTo(hop.thumbprint));
  });

  test('of unbound tokens stays unbound, and an actor token binds', async () => {
    const { hop } = server.identities;
    const subject = await minted('bearer', HOP);
    const plain = decoded(accessToken(await server.exchange(HOP, hop, subject, { resource: AUDIENCE })));
    expect(plain.claims['cnf']).toBeUndefined();
    const own = accessToken(
      await server.exchange(HOP, hop, await minted('alice', HOP), { resource: AUDIENCE }),
    );
    const bound = await server.exchange(HOP, hop, subject, { actor_token: own, actor_token_type: JWT_TYPE });
    expect(decoded(accessToken(bound)).claims['cnf']).toEqual(boundTo(hop.thumbprint));
  });

  test('gives no more scope and no longer life than the token had', async () => {
    const { alice } = server.identities;
    const subject = accessToken(await server.token('alice', alice, { scope: 'tsbt.read' }));
    const more = await server.exchange('alice', alice, subject, { scope: 'tsbt.scoped' });
    expect(more).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const { body } = await server.exchange('alice', alice, subject);
    expect(body['scope']).toBe('tsbt.read');
    const [before, after] = [decoded(subject).claims.exp ?? 0, decoded(body['access_token']).claims.exp ?? 0];
    expect(after).toBeLessThanOrEqual(before);
  });
});

describe('a refresh token of an exchange', () => {
  const refresh = (refresh_token: unknown, clientId = HOP, identity = server.identities.hop) =>
    server.post(
      '/token',
      { grant_type: 'refresh_token', client_id: clientId, refresh_token: String(refresh_token) },
      identity,
    );

  test('gives tokens that are bound as the exchanged one was', async () => {
    const { hop, mallory } = server.identities;
    const { body } = await server.exchange(HOP, hop, await minted('alice', HOP), { resource: AUDIENCE });
    const refreshed = await refresh(body['refresh_token']);
    const { claims } = decoded(accessToken(refreshed));
    expect(claims).toMatchObject({ sub: 'alice', aud: AUDIENCE, act: { sub: HOP } });
    expect(claims['cnf']).toEqual(boundTo(hop.thumbprint));
    expect(await refresh(body['refresh_token'], 'mallory', mallory)).toMatchObject({ status: 400 });
    expect(await refresh(body['refresh_token'], HOP, mallory)).toMatchObject({ status: 401 });
  });

  test('gives unbound ones for an unbound one', async () => {
    const { hop } = server.identities;
    const { body } = await server.exchange(HOP, hop, await minted('bearer', HOP), { resource: AUDIENCE });
    expect(decoded(accessToken(await refresh(body['refresh_token']))).claims['cnf']).toBeUndefined();
  });

  test('gives a flagged client tokens for the certificate that it refreshes with', async () => {
    const { alice, again } = server.identities;
    const { body } = await server.exchange('refreshing', alice, await minted('refreshing', AUDIENCE));
    const refreshed = await refresh(body['refresh_token'], 'refreshing', again);
    expect(decoded(accessToken(refreshed)).claims['cnf']).toEqual(boundTo(again.thumbprint));
  });
});

describe('a stolen token is exchanged', () => {
  test.each([AUDIENCE, OPAQUE_AUDIENCE])('by nobody else (%s)', async (resource) => {
    const { alice, mallory, hop, again, own, stranger } = server.identities;
    const stolen = await minted('alice', resource);
    const theirs = accessToken(await server.token('mallory', mallory));
    const type = ACCESS_TOKEN_TYPE;
    const proof = createProof(signerOf(alice), { token: stolen, exporter: new Uint8Array(32), issuedAt: 0 });
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: 'mallory',
      subject_token: stolen,
      subject_token_type: type,
    };
    const answers = await Promise.all([
      server.exchange('mallory', mallory, stolen),
      server.exchange('mallory', mallory, theirs, { actor_token: stolen, actor_token_type: type }),
      server.exchange('alice', mallory, stolen),
      server.exchange('alice', undefined, stolen),
      server.exchange('alice', stranger, stolen),
      server.exchange('own', own, stolen),
      server.exchange(HOP, hop, stolen),
      // The same client and key, but not the certificate that the token names.
      server.exchange('alice', again, stolen),
      server.post('/token', form, mallory, { 'session-binding-proof': proof }),
    ]);
    for (const { status, body } of answers) {
      expect([400, 401]).toContain(status);
      expect(['invalid_request', 'invalid_client']).toContain(body['error']);
      expect([body['access_token'], body['refresh_token']]).toEqual([undefined, undefined]);
    }
    expect((await server.exchange('alice', alice, stolen)).status).toBe(200);
  });

  test('as an actor token by its recipient neither', async () => {
    const { hop } = server.identities;
    const form = { actor_token: await minted('alice', HOP), actor_token_type: ACCESS_TOKEN_TYPE };
    expect(await server.exchange(HOP, hop, await minted('bearer', HOP), form)).toMatchObject({ status: 400 });
  });
});

describe('a request that is wrong', () => {
  test.each([
    ['subject_token', { subject_token: '' }],
    ['subject_token_type', { subject_token_type: '' }],
    ['unknown subject_token_type', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }],
    [
      'unknown requested_token_type',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    ],
    ['actor_token_type alone', { actor_token_type: ACCESS_TOKEN_TYPE }],
    ['actor_token alone', { actor_token: 'x' }],
    ['unknown token', { subject_token: 'unknown' }],
  ])('is refused as invalid_request: %s', async (_name, form) => {
    const { alice } = server.identities;
    const answer = await server.exchange('alice', alice, await minted('alice', AUDIENCE), form);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('is refused as invalid_target for two resources or an unknown one', async () => {
    const { alice } = server.identities;
    const subject = await minted('alice', AUDIENCE);
    for (const form of [{ resource: HOP, audience: AUDIENCE }, { audience: 'https://unknown.tsbt.test' }]) {
      const answer = await server.exchange('alice', alice, subject, form);
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    }
  });

  test('brings no access token, but another JWT', async () => {
    const { alice } = server.identities;
    const token = await minted('alice', AUDIENCE);
    const { header, claims } = decoded(token);
    const key = await importPKCS8(alice.privateKey, 'ES256');
    const signed = (typ: string, kid = header.kid ?? '') =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid }).sign(key);
    const proof = createProof(signerOf(alice), { token, exporter: new Uint8Array(32), issuedAt: 0 });
    for (const jwt of [
      proof,
      await signed('at+jwt'),
      await signed('tls-binding-proof+jwt'),
      await signed('at+jwt', 'x'),
    ]) {
      const answer = await server.exchange('alice', alice, jwt, { subject_token_type: JWT_TYPE });
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    }
  });

  test('comes with a token that has expired', async () => {
    const { alice } = server.identities;
    const answer = await server.token('alice', alice, { resource: SHORT_LIVED_AUDIENCE });
    const brief = accessToken(answer);
    expect(answer.body['expires_in']).toBeLessThanOrEqual(2);
    const subject = accessToken(await server.token('alice', alice));
    const acting = { actor_token: brief, actor_token_type: ACCESS_TOKEN_TYPE };
    const { exp = 0 } = decoded(brief).claims;
    await setTimeout(exp * 1000 - Date.now() + 50);
    for (const expired of [
      await server.exchange('alice', alice, brief),
      await server.exchange('alice', alice, subject, acting),
    ])
      expect(expired).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect((await server.exchange('alice', alice, subject)).status).toBe(200);
  });
});
