import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, credentials, sessionBound, startBench } from '../test-bench/bench.ts';
import type { Line } from '../test-bench/line.ts';
import { createNonceSource } from './nonces.ts';
import { createDpopVerifier } from './verify.ts';

/** DPoP proofs made by an independent library, against the reference resource server. */

let bench: Bench;
let keyPair: oauth.CryptoKeyPair;
let jkt: string;

beforeAll(async () => {
  [bench, keyPair] = await Promise.all([startBench(), oauth.generateKeyPair('ES256', { extractable: true })]);
  jkt = await oauth.DPoP({}, keyPair).calculateThumbprint();
});
afterAll(() => bench[Symbol.asyncDispose]());

interface Presented {
  readonly token: string;
  readonly line: Line;
  readonly scheme?: 'DPoP' | 'Bearer';
  readonly proofs?: readonly ('session' | 'dpop')[];
  readonly handle?: oauth.DPoPHandle;
}

/** Sends a request as the library makes it, with a session-binding proof beside. */
async function present({ token, line, ...how }: Presented) {
  const { scheme = 'DPoP', proofs = ['session', 'dpop'], handle = oauth.DPoP({}, keyPair) } = how;
  const own = credentials(token, line, bench.pki.alice['P-256']).filter(([name]) => name !== 'Authorization');
  const url = new URL('https://localhost/resource');
  const response = await oauth
    .protectedResourceRequest(token, 'GET', url, undefined, undefined, {
      DPoP: handle,
      [oauth.customFetch]: async (_url, { headers }) => {
        const given = new Headers(headers);
        const fields: [string, string][] = [['Authorization', `${scheme} ${token}`]];
        if (proofs.includes('session')) fields.push(...own);
        if (proofs.includes('dpop')) fields.push(['DPoP', given.get('dpop') ?? '']);
        const { status, challenge, nonce } = await line.send({ fields });
        const answer = new Headers({ ...(challenge && { 'WWW-Authenticate': challenge }) });
        if (nonce !== undefined) answer.set('DPoP-Nonce', nonce);
        return new Response(null, { status, headers: answer });
      },
    })
    .catch((error: unknown) => {
      if (error instanceof oauth.WWWAuthenticateChallengeError) return error.response;
      throw error;
    });
  return { status: response.status, challenge: response.headers.get('WWW-Authenticate') ?? '' };
}

const bothWays = () => ({ ...sessionBound(bench.pki.alice['P-256']), jkt });
const thumbprint = () => ({ 'x5t#S256': bench.pki.alice['P-256'].thumbprint });

test.each(['DPoP', 'Bearer'] as const)(
  'a token bound in both ways needs both proofs, under %s',
  async (scheme) => {
    await using line = await bench.connect('http/1.1');
    const token = await bench.mint({ cnf: bothWays() });
    expect(await present({ token, line, scheme })).toMatchObject({ status: 200 });
    expect(await present({ token, line, scheme, proofs: ['session'] })).toEqual({
      status: 401,
      challenge: expect.stringMatching(
        /^DPoP realm="session-bound", error="invalid_dpop_proof", .*algs="ES256 /,
      ),
    });
    expect(await present({ token, line, scheme, proofs: ['dpop'] })).toEqual({
      status: 401,
      challenge: expect.stringMatching(/^Bearer .*error="use_session_binding"/),
    });
    const handle = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
    expect(await present({ token, line, scheme, handle })).toEqual({
      status: 401,
      challenge: expect.stringMatching(/^DPoP .*error="invalid_token"/),
    });
  },
);

test('a token bound to a DPoP key alone is none of the scheme Bearer', async () => {
  await using line = await bench.connect('h2');
  await using anonymous = await bench.connect('h2', { identity: undefined });
  const token = await bench.mint({ cnf: { jkt } });
  for (const each of [line, anonymous])
    expect(await present({ token, line: each, proofs: ['dpop'] })).toMatchObject({ status: 200 });
  for (const proofs of [['dpop'], []] as const)
    expect(await present({ token, line, scheme: 'Bearer', proofs })).toEqual({
      status: 401,
      challenge: expect.stringMatching(/^DPoP .*error="invalid_token"/),
    });
});

test('a token bound to certificate and DPoP key needs both', async () => {
  await using line = await bench.connect('http/1.1');
  await using mallory = await bench.connect('http/1.1', { identity: bench.pki.mallory });
  const token = await bench.mint({ cnf: { ...thumbprint(), jkt } });
  expect(await present({ token, line, proofs: ['dpop'] })).toMatchObject({ status: 200 });
  expect(await present({ token, line, proofs: [] })).toMatchObject({ status: 401 });
  expect(await present({ token, line: mallory, proofs: ['dpop'] })).toMatchObject({ status: 401 });
});

test('a token without DPoP key is refused under the scheme DPoP, whatever comes with it', async () => {
  await using line = await bench.connect('http/1.1');
  for (const token of [
    await bench.mint(),
    await bench.mint({ cnf: thumbprint() }),
    await bench.mint({ cnf: undefined }),
  ])
    expect(await present({ token, line })).toEqual({
      status: 401,
      challenge: expect.stringMatching(/^DPoP .*error="invalid_token"/),
    });
});

test('a nonce is asked for once, and the library answers with it', async () => {
  const verifyDpop = createDpopVerifier({ rules: { nonces: createNonceSource() } });
  await using strict = await startBench({ variant: { parts: () => ({ verifyDpop }) } });
  await using line = await strict.connect('http/1.1');
  const handle = oauth.DPoP({}, keyPair);
  const token = await strict.mint({ cnf: { jkt } });
  const sent = { token, line, proofs: ['dpop'] as const, handle };
  expect(await present(sent)).toEqual({
    status: 401,
    challenge: expect.stringMatching(/^DPoP .*error="use_dpop_nonce"/),
  });
  expect(await present(sent)).toMatchObject({ status: 200 });
});
