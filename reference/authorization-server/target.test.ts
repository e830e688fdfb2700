import { X509Certificate } from 'node:crypto';
import { SignJWT, importPKCS8, exportJWK, generateKeyPair } from 'jose';
import { request } from 'undici';
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
  ISSUER,
  OPAQUE_AUDIENCE,
  SECRET,
  startAuthorizationServer,
} from './authorization-server.fixture.ts';
import { start } from './target.ts';

let server: AuthorizationServerBench;

beforeAll(async () => {
  server = await startAuthorizationServer(start);
});
afterAll(() => server[Symbol.asyncDispose]());

const boundTo = (thumbprint: string) => ({ 'x5t#S256': thumbprint, tls_exp: EXPORTER_LABEL });
const now = () => Math.floor(Date.now() / 1000);

describe('a JWT access token', () => {
  test.each(['alice', 'both'])('of %s is bound to the certificate and to TLS sessions', async (clientId) => {
    const { alice } = server.identities;
    const { status, headers, body } = await server.token(clientId, alice, { scope: 'tsbt.read' });
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'tsbt.read', expires_in: 300 });
    const { header, claims } = decoded(body['access_token']);
    expect(header).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(claims).toMatchObject({ iss: ISSUER, aud: AUDIENCE, sub: clientId, client_id: clientId });
    expect(claims['cnf']).toEqual(boundTo(alice.thumbprint));
  });

  test.each([
    ['certificate', (thumbprint: string) => ({ 'x5t#S256': thumbprint })],
    ['bearer', () => undefined],
    ['unflagged', () => undefined],
  ])('of %s is not session-bound', async (clientId, confirmation) => {
    const { alice } = server.identities;
    const { claims } = decoded(accessToken(await server.token(clientId, alice)));
    expect(claims['cnf']).toEqual(confirmation(alice.thumbprint));
  });

  test('carries the thumbprint of the leaf of its own request', async () => {
    const { again } = server.identities;
    const { claims } = decoded(accessToken(await server.token('alice', again)));
    expect(claims['cnf']).toEqual(boundTo(again.thumbprint));
    expect(again.thumbprint).not.toBe(server.identities.alice.thumbprint);
  });

  test.each([
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }, false],
    ['TLS 1.3', { minVersion: 'TLSv1.3' }, false],
    ['HTTP/2', {}, true],
  ] as const)('carries it on connections of %s, resumed ones too', async (_name, tls, allowH2) => {
    const { alice } = server.identities;
    const dispatcher = server.agent(alice, {
      allowH2,
      connect: { ...tls, maxCachedSessions: 10 },
    });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { body } = await request(`${server.origin}/token`, {
        dispatcher,
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          ...(!allowH2 && { connection: 'close' }),
        },
        body: 'grant_type=client_credentials&client_id=alice',
      });
      const { access_token } = (await body.json()) as { access_token: string };
      expect(decoded(access_token).claims['cnf']).toEqual(boundTo(alice.thumbprint));
    }
  });

  test('is for a resource server that is a client, too, and for nothing that is unknown', async () => {
    const { alice } = server.identities;
    expect(decoded(accessToken(await server.token('alice', alice, { resource: HOP }))).claims.aud).toBe(HOP);
    const unknown = await server.token('alice', alice, { resource: 'https://unknown.tsbt.test' });
    expect(unknown).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  test('has DPoP beside session binding where the client sends a proof', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const proof = await new SignJWT({ htm: 'POST', htu: `${server.origin}/token`, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey);
    const { alice } = server.identities;
    const form = { grant_type: 'client_credentials', client_id: 'alice' };
    const { body } = await server.post('/token', form, alice, { dpop: proof });
    expect(body['token_type']).toBe('DPoP');
    const { cnf } = decoded(body['access_token']).claims;
    expect(cnf).toEqual({ ...boundTo(alice.thumbprint), jkt: expect.any(String) as string });
  });
});

describe('no session-bound token', () => {
  test('without a client certificate, nor an unbound one', async () => {
    const basic = { authorization: `Basic ${Buffer.from(`secret:${SECRET}`).toString('base64')}` };
    const form = { grant_type: 'client_credentials' };
    const { alice, stranger } = server.identities;
    const right = await server.post('/token', form, alice, basic);
    expect(decoded(accessToken(right)).claims['cnf']).toEqual(boundTo(alice.thumbprint));
    for (const identity of [undefined, stranger]) {
      const { status, body } = await server.post('/token', form, identity, basic);
      expect([status, body['error'], body['access_token']]).toEqual([400, 'invalid_request', undefined]);
    }
    expect(await server.token('alice', undefined)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  test.each(['mallory', 'stranger', 'own'] as const)('for the certificate of %s', async (name) => {
    const { status, body } = await server.token('alice', server.identities[name]);
    expect([status, body['error'], body['access_token']]).toEqual([401, 'invalid_client', undefined]);
  });

  test.each(['client-cert', 'x-ssl-client-cert', 'x-forwarded-client-cert'])(
    'from the field %s',
    async (field) => {
      const { mallory, alice } = server.identities;
      const der = new X509Certificate(mallory.certificate).raw.toString('base64');
      const form = { grant_type: 'client_credentials', client_id: 'alice' };
      const fields = { [field]: `:${der}:` };
      const { claims } = decoded(accessToken(await server.post('/token', form, alice, fields)));
      expect(claims['cnf']).toEqual(boundTo(alice.thumbprint));
      expect(await server.post('/token', form, undefined, fields)).toMatchObject({ status: 401 });
    },
  );

  test('is lowered by parameters', async () => {
    const { alice } = server.identities;
    const form = {
      tls_session_bound_access_tokens: 'false',
      tls_session_bound: 'false',
      cnf: '{}',
      scope: 'tsbt.read',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const { claims } = decoded(accessToken(await server.token('alice', alice, form)));
    expect(claims['cnf']).toEqual(boundTo(alice.thumbprint));
  });
});

describe('client authentication', () => {
  test('with a self-signed certificate that is registered', async () => {
    const { own, alice } = server.identities;
    const { claims } = decoded(accessToken(await server.token('own', own)));
    expect(claims['cnf']).toEqual(boundTo(own.thumbprint));
    expect(await server.token('own', alice)).toMatchObject({ status: 401 });
  });

  test('with a JWT takes no proof for an assertion', async () => {
    const { alice } = server.identities;
    const signer = signerOf(alice);
    const claims = { iss: 'key', sub: 'key', aud: ISSUER, exp: now() + 60 };
    const signed = async (typ: string) =>
      new SignJWT({ ...claims, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ })
        .sign(await importPKCS8(alice.privateKey, 'ES256'));
    const ask = async (assertion: string) =>
      server.post(
        '/token',
        {
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        },
        alice,
      );
    const right = await ask(await signed('JWT'));
    expect(decoded(accessToken(right)).claims['cnf']).toEqual(boundTo(alice.thumbprint));
    expect(await ask(await signed('tls-binding-proof+jwt'))).toMatchObject({ status: 401 });
    const proof = createProof(signer, { token: 'x', exporter: new Uint8Array(32), issuedAt: now() });
    const { status, body } = await ask(proof);
    expect([400, 401]).toContain(status);
    expect(body['access_token']).toBeUndefined();
  });
});

describe('introspection', () => {
  test.each([
    ['a JWT', AUDIENCE],
    ['an opaque token', OPAQUE_AUDIENCE],
  ])('of %s tells its binding to a resource server with another certificate', async (_name, resource) => {
    const { alice } = server.identities;
    const token = accessToken(await server.token('alice', alice, { resource, scope: 'tsbt.read' }));
    expect(token.split('.')).toHaveLength(resource === AUDIENCE ? 3 : 1);
    const { status, body } = await server.introspect(token, resource);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      active: true,
      client_id: 'alice',
      aud: resource,
      iss: ISSUER,
      scope: 'tsbt.read',
      token_type: 'Bearer',
    });
    expect(body['cnf']).toEqual(boundTo(alice.thumbprint));
  });

  test.each([
    ['certificate', (thumbprint: string) => ({ 'x5t#S256': thumbprint })],
    ['bearer', () => undefined],
  ])('invents nothing for tokens of %s', async (clientId, confirmation) => {
    const { alice } = server.identities;
    for (const resource of [AUDIENCE, OPAQUE_AUDIENCE]) {
      const token = accessToken(await server.token(clientId, alice, { resource }));
      const { body } = await server.introspect(token, resource);
      expect(body['active']).toBe(true);
      expect(body['cnf']).toEqual(confirmation(alice.thumbprint));
    }
  });

  test('says nothing of tokens that are revoked, foreign, forged or not the caller’s', async () => {
    const { alice, mallory } = server.identities;
    const opaque = accessToken(await server.token('alice', alice, { resource: OPAQUE_AUDIENCE }));
    const jwt = accessToken(await server.token('alice', alice));
    const { header, claims } = decoded(jwt);
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ ...header, alg: 'ES256' })
      .sign(await importPKCS8(alice.privateKey, 'ES256'));
    const tampered = `${jwt.slice(0, -6)}AAAAAA`;
    for (const token of ['unknown', forged, tampered, 'a.b.c']) {
      expect(await server.introspect(token)).toMatchObject({ body: { active: false } });
    }
    for (const token of [opaque, jwt]) {
      const { status, body } = await server.introspect(token, 'mallory', mallory);
      expect([status, body]).toEqual([200, { active: false }]);
    }
    expect(await server.introspect(jwt, AUDIENCE, mallory)).toMatchObject({ status: 401 });
    const revoked = await server.post('/token/revocation', { token: opaque, client_id: 'alice' }, alice);
    expect(revoked.status).toBe(200);
    expect((await server.introspect(opaque, OPAQUE_AUDIENCE)).body).toEqual({ active: false });
  });
});

test('the metadata names what there is', async () => {
  const { body } = await server.send('/.well-known/oauth-authorization-server', { method: 'GET' });
  expect(body).toMatchObject({
    issuer: ISSUER,
    token_endpoint: `${server.origin}/token`,
    introspection_endpoint: `${server.origin}/token/introspection`,
    registration_endpoint: `${server.origin}/reg`,
    tls_client_certificate_bound_access_tokens: true,
    tls_session_bound_access_tokens: true,
  });
  expect(body['grant_types_supported']).toEqual(
    expect.arrayContaining([
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ]),
  );
  const { body: keys } = await server.send('/jwks', { method: 'GET' });
  expect(keys['keys']).toHaveLength(1);
});

test('there is no other way to a token', async () => {
  const { status, body } = await server.send(
    '/auth?response_type=token&client_id=alice&redirect_uri=https://a.test/',
    {
      method: 'GET',
    },
  );
  expect([status, body['access_token']]).toEqual([400, undefined]);
});

test('the log says why, and no secret', async () => {
  await server.token('alice', undefined);
  const text = server.log.join('\n');
  expect(text).toContain(
    'refused: 401 /token invalid_client: client authentication failed client certificate was not provided',
  );
  expect(text).not.toContain(SECRET);
  expect(text).not.toMatch(/failed: /);
});
