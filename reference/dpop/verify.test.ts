import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { accessTokenHash } from '../proof/encoding.ts';
import { createNonceSource } from './nonces.ts';
import { createDpopVerifier, defaultDpopChecks, type DpopSubject } from './verify.ts';

const NOW = 1_800_000_000;
const TOKEN = 'token';
const request = { method: 'GET', authority: 'rs.example', path: '/resource' };
let pair: Awaited<ReturnType<typeof generateKeyPair>>;
let header: JWTHeaderParameters;

beforeAll(async () => {
  pair = await generateKeyPair('ES256', { extractable: true });
  header = { typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(pair.publicKey) };
});

async function proofWith(
  claims: Readonly<Record<string, unknown>> = {},
  change: Partial<JWTHeaderParameters> = {},
  key = pair.privateKey,
): Promise<string> {
  const right = {
    jti: 'j',
    htm: 'GET',
    htu: 'https://rs.example/resource',
    iat: NOW,
    ath: accessTokenHash(TOKEN),
  };
  return new SignJWT({ ...right, ...claims }).setProtectedHeader({ ...header, ...change }).sign(key);
}

function subjectOf(proof: string): DpopSubject {
  return { proof, token: TOKEN, request, now: NOW };
}

test('a right proof tells its key and its jti', async () => {
  const result = await createDpopVerifier()(subjectOf(await proofWith()));
  const keyThumbprint = await calculateJwkThumbprint(header.jwk ?? {});
  expect(result).toEqual({ holds: true, keyThumbprint, identifier: 'j' });
});

test.each([
  ['another method', { htm: 'POST' }, 'htm'],
  ['no method', { htm: undefined }, 'htm'],
  ['another path', { htu: 'https://rs.example/other' }, 'htu'],
  ['another host', { htu: 'https://other.example/resource' }, 'htu'],
  ['a bare path', { htu: '/resource' }, 'htu'],
  ['the hash of another token', { ath: accessTokenHash('other') }, 'ath'],
  ['no hash', { ath: undefined }, 'ath'],
  ['a time long ago', { iat: NOW - 301 }, 'iat'],
  ['a time to come', { iat: NOW + 31 }, 'iat'],
  ['a time that is text', { iat: String(NOW) }, 'not a JWT'],
  ['no time', { iat: undefined }, 'iat'],
  ['no identifier', { jti: undefined }, 'jti'],
  ['an empty identifier', { jti: '' }, 'jti'],
])('a proof with %s does not hold', async (_what, claims, member) => {
  expect(await createDpopVerifier()(subjectOf(await proofWith(claims)))).toEqual({
    holds: false,
    defect: { error: 'invalid_dpop_proof', description: expect.stringContaining(member) },
  });
});

test('query and fragment of htu take no part, and times may be a little off', async () => {
  for (const claims of [
    { htu: 'https://RS.example:443/resource?q#f' },
    { iat: NOW - 300 },
    { iat: NOW + 30 },
  ])
    expect(await createDpopVerifier()(subjectOf(await proofWith(claims)))).toMatchObject({ holds: true });
});

test('what is not a JWT by the key in its header does not hold', async () => {
  const other = await generateKeyPair('ES256', { extractable: true });
  const right = await proofWith();
  const wrong = [
    '',
    'a.b.c',
    right.slice(0, -8),
    await proofWith({}, { typ: 'JWT' }),
    await proofWith({}, { typ: 'tls-binding-proof+jwt' }),
    await proofWith({}, {}, other.privateKey),
    await proofWith({}, { jwk: await exportJWK(pair.privateKey) }),
    await proofWith(
      {},
      { alg: 'HS256' },
      new TextEncoder().encode('a shared secret of some length'.repeat(2)) as never,
    ),
  ];
  for (const proof of wrong)
    expect(await createDpopVerifier()(subjectOf(proof))).toMatchObject({
      holds: false,
      defect: { error: 'invalid_dpop_proof' },
    });
});

test('where nonces are demanded, one without is told the one to use', async () => {
  const nonces = createNonceSource(60);
  const verify = createDpopVerifier({ rules: { nonces } });
  const nonce = nonces.current(NOW);
  const challenge = { error: 'use_dpop_nonce', description: expect.any(String), nonce };
  for (const claims of [{}, { nonce: 'other' }, { nonce: 1 }, { nonce: nonces.current(NOW - 120) }])
    expect(await verify(subjectOf(await proofWith(claims)))).toEqual({ holds: false, defect: challenge });
  for (const good of [nonce, nonces.current(NOW - 60)])
    expect(await verify(subjectOf(await proofWith({ nonce: good })))).toMatchObject({ holds: true });
});

test('a check can be left out without touching the others', async () => {
  const verify = createDpopVerifier({ checks: defaultDpopChecks.without('token-hash') });
  expect(await verify(subjectOf(await proofWith({ ath: 'x' })))).toMatchObject({ holds: true });
  expect(await verify(subjectOf(await proofWith({ ath: 'x', htm: 'x' })))).toMatchObject({ holds: false });
});
