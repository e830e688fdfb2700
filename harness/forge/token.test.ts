import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { beforeAll, expect, test, vi } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { createTokenIssuer } from '../../certs/token-issuer.ts';
import { collidingTokens } from './colliding-tokens.ts';
import { publicKeyOf } from './keys.ts';
import { forgeOpaqueToken } from './opaque-token.ts';
import { clientAssertion, dpopProof, workloadProof } from './other-jwts.ts';
import { ath, readJwt, signatureVerifies } from './read.ts';
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
  const make = () =>
    forgeOpaqueToken(issuer, { boundTo: pki.mallory, claims: { active: false, iat: undefined } });
  const token = make();
  expect(token.compact).toMatch(/^[A-Za-z0-9\-._~+/]+=*$/);
  expect(token.compact).toMatch(/^[0-9a-f]{24}-\._~\+\/[0-9a-f]{24}==$/);
  expect(token.compact.split('.')).toHaveLength(2);
  expect(make().compact).not.toBe(token.compact);
  expect(token).toMatchObject({ sha256: ath(token.compact), subject: 'alice' });
  expect(token.introspection).toMatchObject({
    active: false,
    token_type: 'Bearer',
    client_id: 'tsbt-client',
    sub: 'alice',
    cnf: { 'x5t#S256': pki.mallory.thumbprint },
  });
  expect(token.introspection).not.toHaveProperty('iat');
});

test('introspection says that a token is active unless told otherwise', () => {
  expect(forgeOpaqueToken(issuer, { boundTo: null }).introspection).toHaveProperty('active', true);
});

test('a token names its subject', () => {
  expect(forgeToken(issuer, { boundTo: null }).subject).toBe('alice');
  expect(forgeOpaqueToken(issuer, { boundTo: null, subject: 'eve' }).subject).toBe('eve');
});

test('JWTs of other protocols verify under the same key and say what their protocols ask for', () => {
  const identity = pki.alice['P-256'];
  const now = Math.floor(Date.now() / 1000);
  const jti = expect.stringMatching(/^[0-9a-f-]{36}$/);
  const htu = 'https://rs.tsbt.test/resource';
  const made = [
    {
      compact: dpopProof({ identity, token: 't', htm: 'GET', htu }),
      typ: 'dpop+jwt',
      claims: { jti, htm: 'GET', htu, ath: ath('t'), iat: expect.any(Number) },
    },
    {
      compact: clientAssertion({ identity, clientId: 'c', audience: 'a' }),
      typ: 'JWT',
      claims: { iss: 'c', sub: 'c', aud: 'a', jti, iat: expect.any(Number), exp: expect.any(Number) },
    },
    {
      compact: workloadProof({ identity, token: 't', audience: 'a' }),
      typ: 'wpt+jwt',
      claims: { aud: 'a', jti, ath: ath('t'), iat: expect.any(Number), exp: expect.any(Number) },
    },
  ];
  for (const { compact, typ, claims } of made) {
    const jwt = readJwt(compact);
    expect(jwt.header).toMatchObject({ typ, alg: 'ES256' });
    expect(jwt.claims).toEqual(claims);
    const { iat, exp } = jwt.claims as { readonly iat: number; readonly exp?: number };
    expect(iat).toBeGreaterThanOrEqual(now);
    expect(iat).toBeLessThanOrEqual(Date.now() / 1000);
    expect((exp ?? iat + 60) - iat).toBe(60);
    expect(signatureVerifies(compact, publicKeyOf(identity))).toBe(true);
  }
  const [dpop, assertion] = made.map(({ compact }) => readJwt(compact).header);
  expect(dpop).toHaveProperty('jwk.crv', 'P-256');
  expect(dpop).not.toHaveProperty('jwk.d');
  expect(assertion).toHaveProperty('x5t#S256', identity.thumbprint);
});

test('finds two tokens whose hashes share two octets', () => {
  // By chance two tokens may share more than was looked for, but not every time.
  for (let round = 0; round < 4; round += 1) {
    const [one, two] = collidingTokens(issuer, { boundTo: pki.mallory });
    expect(one.compact).not.toBe(two.compact);
    const [first, second] = [one, two].map((token) => createHash('sha256').update(token.compact).digest());
    expect(first?.subarray(0, 2)).toEqual(second?.subarray(0, 2));
  }
});

test('gives up looking for them after three seconds', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValueOnce(2999);
  now.mockReturnValue(3000);
  expect(() => collidingTokens(issuer, { boundTo: null })).toThrow(
    'no two tokens of 1 share the first 2 octets of their SHA-256',
  );
  now.mockRestore();
});
