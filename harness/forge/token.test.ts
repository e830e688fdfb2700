import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { createTokenIssuer } from '../../certs/token-issuer.ts';
import { collidingTokens } from './colliding-tokens.ts';
import { publicKeyOf } from './keys.ts';
import { forgeOpaqueToken } from './opaque-token.ts';
import { clientAssertion, dpopProof, workloadProof } from './other-jwts.ts';
import { readJwt, signatureVerifies } from './read.ts';
import { forgeToken, jwks } from './token.ts';
import type { TokenIssuer } from './token.ts';

let pki: Pki;
let issuer: TokenIssuer;
beforeAll(async () => {
  [pki, issuer] = await Promise.all([createPki(), createTokenIssuer()]);
});

test('a right token verifies with jose under the JWK Set and says what RFC 9068 asks for', async () => {
  const token = forgeToken(issuer, { boundTo: pki.mallory });
  const { payload, protectedHeader } = await jwtVerify(
    token.compact,
    createLocalJWKSet({ keys: [...jwks(issuer).keys] }),
    {
      issuer: issuer.issuer,
      audience: issuer.audience,
      typ: 'at+jwt',
      requiredClaims: ['client_id', 'jti', 'sub'],
    },
  );
  expect(protectedHeader).toEqual({ typ: 'at+jwt', alg: 'ES256', kid: issuer.kid });
  expect(payload).toMatchObject({
    sub: 'alice',
    scope: 'tsbt.basic',
    cnf: { 'x5t#S256': pki.mallory.thumbprint, tls_exp: 'EXPORTER-oauth-tls-session-bound' },
  });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
  expect(token.sha256).toBe(createHash('sha256').update(token.compact).digest('base64url'));
  expect(forgeToken(issuer, { boundTo: pki.mallory }).compact).not.toBe(token.compact);
});

test.each([
  [{ boundTo: 'T' }, { 'x5t#S256': 'T', tls_exp: 'EXPORTER-oauth-tls-session-bound' }],
  [{ boundTo: 'T', sessionBound: false }, { 'x5t#S256': 'T' }],
  [{ boundTo: null }, { tls_exp: 'EXPORTER-oauth-tls-session-bound' }],
  [{ boundTo: null, sessionBound: false }, undefined],
  [
    { boundTo: 'T', sessionBound: null },
    { 'x5t#S256': 'T', tls_exp: null },
  ],
  [
    { boundTo: 'T', sessionBound: [] },
    { 'x5t#S256': 'T', tls_exp: [] },
  ],
  [{ boundTo: 'T', claims: { cnf: 'x' } }, 'x'],
  [{ boundTo: 'T', claims: { cnf: undefined } }, undefined],
])('%j confirms %j', (request, cnf) => {
  const { claims } = readJwt(forgeToken(issuer, request).compact);
  expect(claims).toHaveProperty('sub', 'alice');
  expect((claims as { cnf?: unknown }).cnf).toEqual(cnf);
});

test('a token can be signed by another key, expired, and altered', () => {
  const forged = forgeToken(issuer, {
    boundTo: pki.mallory,
    signWith: pki.mallory,
    lifetime: -5,
    subject: 'eve',
    header: { kid: undefined },
  });
  expect(signatureVerifies(forged.compact, publicKeyOf(pki.mallory))).toBe(true);
  expect(signatureVerifies(forged.compact, publicKeyOf(issuer))).toBe(false);
  expect(readJwt(forged.compact).header).toEqual({ typ: 'at+jwt', alg: 'ES256' });
  expect((readJwt(forged.compact).claims as { exp: number }).exp).toBeLessThan(Date.now() / 1000);
  expect(forged.subject).toBe('eve');
});

test('an opaque token uses the whole b64token alphabet and is no JWT', () => {
  const token = forgeOpaqueToken(issuer, { boundTo: pki.mallory, claims: { active: false, iat: undefined } });
  expect(token.compact).toMatch(/^[A-Za-z0-9\-._~+/]+=*$/);
  for (const character of '-._~+/=') expect(token.compact).toContain(character);
  expect(token.compact.split('.')).toHaveLength(2);
  expect(token.introspection).toMatchObject({
    active: false,
    sub: 'alice',
    cnf: { 'x5t#S256': pki.mallory.thumbprint },
  });
  expect(token.introspection).not.toHaveProperty('iat');
});

test('JWTs of other protocols verify under the same key and have their own typ', () => {
  const identity = pki.alice['P-256'];
  const made = {
    'dpop+jwt': dpopProof({ identity, token: 't', htm: 'GET', htu: 'https://rs.tsbt.test/resource' }),
    JWT: clientAssertion({ identity, clientId: 'c', audience: 'a' }),
    'wpt+jwt': workloadProof({ identity, token: 't', audience: 'a' }),
  };
  for (const [typ, compact] of Object.entries(made)) {
    expect(readJwt(compact).header).toHaveProperty('typ', typ);
    expect(signatureVerifies(compact, publicKeyOf(identity))).toBe(true);
  }
  expect(readJwt(made['dpop+jwt']).header).not.toHaveProperty('jwk.d');
});

test('finds two tokens whose hashes share two octets', () => {
  const [one, two] = collidingTokens(issuer, { boundTo: pki.mallory });
  expect(one.compact).not.toBe(two.compact);
  const [first, second] = [one, two].map((token) => createHash('sha256').update(token.compact).digest());
  expect(first?.subarray(0, 2)).toEqual(second?.subarray(0, 2));
});
