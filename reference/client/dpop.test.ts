import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt } from 'jose';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dpopSignerOf } from '../dpop/create.ts';
import { createNonceSource } from '../dpop/nonces.ts';
import { createDpopVerifier } from '../dpop/verify.ts';
import { type Bench, sessionBound, startBench } from '../test-bench/bench.ts';
import { SessionBoundAgent } from './agent.ts';
import { asksForNonce, DpopSource, isUnderDpop, withDpopProof } from './dpop.ts';

const TARGET = { method: 'GET', target: 'https://rs.example/resource', origin: 'https://rs.example' };
const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { thumbprint: jkt } = dpopSignerOf(key);
let bench: Bench;
let refusals: string[] = [];

beforeAll(async () => {
  const verifyDpop = createDpopVerifier({ rules: { nonces: createNonceSource() } });
  bench = await startBench({
    variant: { parts: () => ({ verifyDpop }) },
    log: (line) => refusals.push(line),
  });
});
afterAll(() => bench[Symbol.asyncDispose]());

function tokenWith(cnf: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ alg: 'none' })}.${encode({ cnf })}.`;
}

test('proves what is bound to its key, and what stands under the scheme DPoP', () => {
  const source = new DpopSource({ key }, Date.now);
  const isProven = (token: string, underDpop = false, from = source) =>
    from.proofFor({ ...TARGET, token, underDpop }) !== undefined;
  const others = [tokenWith({ jkt: 'other' }), tokenWith({}), 'opaque'];
  for (const cnf of [{ jkt }, { jkt, 'x5t#S256': 'x' }]) expect(isProven(tokenWith(cnf))).toBe(true);
  for (const token of others) expect(isProven(token)).toBe(false);
  for (const token of others) expect(isProven(token, true)).toBe(true);
  const all = new DpopSource({ key, tokens: 'all' }, Date.now);
  for (const token of others) expect(isProven(token, false, all)).toBe(true);
});

test('each proof is a new one, and holds for the reference', async () => {
  const source = new DpopSource({ key }, Date.now);
  const [first = '', second = ''] = [1, 2].map(() =>
    source.proofFor({ ...TARGET, token: 't', underDpop: true }),
  );
  expect(decodeJwt(first)['jti']).not.toBe(decodeJwt(second)['jti']);
  const about = { method: 'GET', authority: 'rs.example', path: '/resource' };
  const now = Date.now() / 1000;
  expect(await createDpopVerifier()({ proof: first, token: 't', request: about, now })).toMatchObject({
    holds: true,
    keyThumbprint: jkt,
  });
});

test('a nonce is kept for the server that gave it', () => {
  const source = new DpopSource({ key }, Date.now);
  const nonceFor = (origin: string) =>
    decodeJwt(source.proofFor({ ...TARGET, origin, token: 't', underDpop: true }) ?? '')['nonce'];
  expect(source.heard('https://a', { 'dpop-nonce': 'n' })).toBe(true);
  expect(source.heard('https://a', { 'dpop-nonce': 'n' })).toBe(false);
  for (const none of [{}, { 'dpop-nonce': '' }, { 'dpop-nonce': ['a', 'b'] }])
    expect(source.heard('https://a', none)).toBe(false);
  expect([nonceFor('https://a'), nonceFor('https://b')]).toEqual(['n', undefined]);
});

test('a key that no algorithm fits is refused at once', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  expect(() => new DpopSource({ key: privateKey }, Date.now)).toThrow('no DPoP proof can be signed');
});

test('the caller’s DPoP proof gives way to one that is made here', () => {
  const fields = ['A', '1', 'dpop', 'theirs', 'B', '2'];
  expect(withDpopProof(fields, undefined)).toEqual(fields);
  expect(withDpopProof(fields, 'ours')).toEqual(['A', '1', 'B', '2', 'DPoP', 'ours']);
  expect(isUnderDpop(['authorization', 'dpop t'])).toBe(true);
  for (const other of [['Authorization', 'Bearer t'], ['X', 'DPoP t'], []])
    expect(isUnderDpop(other)).toBe(false);
});

test.each([
  [401, 'DPoP error="use_dpop_nonce"', true],
  [401, 'Bearer realm="r", DPoP algs="ES256", error="use_dpop_nonce"', true],
  [400, 'DPoP error="use_dpop_nonce"', false],
  [401, 'DPoP error="invalid_dpop_proof"', false],
  [401, 'Bearer error="use_dpop_nonce"', false],
])('%i with %s: a nonce is asked for: %s', (status, challenge, expected) => {
  expect(asksForNonce(status, { 'www-authenticate': challenge })).toBe(expected);
});

test.each(['Bearer', 'DPoP'])(
  'with both proofs a token is served under %s, a nonce asked for once',
  async (scheme) => {
    refusals = [];
    const alice = bench.pki.alice['P-256'];
    await using agent = new SessionBoundAgent({
      identity: { certificate: alice.chain, key: alice.privateKey },
      tls: { ca: bench.pki.trusted.certificate },
      dpop: { key },
    });
    const token = await bench.mint({ cnf: { ...sessionBound(alice), jkt } });
    for (let round = 0; round < 3; round += 1) {
      const { statusCode, body } = await request(`https://localhost:${bench.port}/resource/${round}?q=1`, {
        dispatcher: agent,
        headers: { authorization: `${scheme} ${token}` },
      });
      expect(statusCode).toBe(200);
      await body.dump();
    }
    expect(refusals).toEqual([expect.stringContaining('use_dpop_nonce')]);
  },
);

test('a request that cannot be repeated is answered with the challenge, and the next one is served', async () => {
  const alice = bench.pki.alice['P-256'];
  await using agent = new SessionBoundAgent({
    identity: { certificate: alice.chain, key: alice.privateKey },
    tls: { ca: bench.pki.trusted.certificate },
    dpop: { key },
  });
  const token = await bench.mint({ cnf: { jkt } });
  const statuses: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    const { statusCode, body } = await request(`https://localhost:${bench.port}/resource`, {
      dispatcher: agent,
      method: 'POST',
      headers: { authorization: `DPoP ${token}` },
    });
    statuses.push(statusCode);
    await body.dump();
  }
  expect(statuses).toEqual([401, 200]);
});
