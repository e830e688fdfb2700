import { createPrivateKey } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import type { JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { beforeAll, expect, test } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { createDpopKey, dpopKey, dpopKeyOf, forgeDpopProof, jwkThumbprint } from './dpop-proof.ts';
import { ath, readJwt } from './read.ts';

const HTU = 'https://rs.tsbt.test/resource';
const REQUEST = { token: 't', htm: 'GET', htu: HTU };
let pki: Pki;

beforeAll(async () => {
  pki = await createPki();
});

test('a right proof is one for jose, with a key of any type', async () => {
  const keys = [createDpopKey('k'), ...Object.values(pki.alice).map((identity) => dpopKeyOf(identity))];
  for (const key of keys) {
    const proof = forgeDpopProof({ ...REQUEST, key });
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' });
    expect(payload).toEqual({
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      htm: 'GET',
      htu: HTU,
      iat: expect.any(Number),
      ath: ath('t'),
    });
    expect(await calculateJwkThumbprint(protectedHeader.jwk ?? {})).toBe(key.thumbprint);
    expect(protectedHeader.jwk).not.toHaveProperty('d');
  }
});

test('the thumbprint is that of the RFC’s example, and of no symmetric key', () => {
  // RFC 7638 §3.1
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  expect(jwkThumbprint({ kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' })).toBe(
    'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  );
  expect(() => jwkThumbprint({ kty: 'oct' })).toThrow('no thumbprint is known for key type oct');
  expect(() => jwkThumbprint({})).toThrow('no thumbprint is known for key type none');
});

test('a proof has the form that an independent library gives it', async () => {
  const pair = await oauth.generateKeyPair('ES256', { extractable: true });
  const handle = oauth.DPoP({}, pair);
  let sent: Headers | undefined;
  const answers = [
    new Response(null, {
      status: 401,
      headers: { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"', 'DPoP-Nonce': 'n' },
    }),
    new Response(null, { status: 200 }),
  ];
  const call = () =>
    oauth.protectedResourceRequest('t', 'GET', new URL(`${HTU}?q=1`), undefined, undefined, {
      DPoP: handle,
      [oauth.customFetch]: async (_url, { headers }) => {
        sent = new Headers(headers);
        return answers.shift() ?? new Response();
      },
    });
  await call().catch(() => undefined);
  await call();
  const theirs = readJwt(sent?.get('dpop') ?? '');
  const { privateKey } = pair;
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', privateKey));
  const key = dpopKey('k', createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }), 'ES256');
  const ours = readJwt(forgeDpopProof({ ...REQUEST, key, nonce: 'n' }));
  expect(ours.header).toEqual(theirs.header);
  const own = { jti: expect.any(String), iat: expect.any(Number) };
  expect(ours.claims).toEqual({ ...(theirs.claims as object), ...own });
  expect(await calculateJwkThumbprint((theirs.header as { readonly jwk: JWK }).jwk)).toBe(key.thumbprint);
});

test('a change is signed anew, with another key where it says so', async () => {
  const [key, other] = [createDpopKey('one'), createDpopKey('another')];
  const stranger = forgeDpopProof({ ...REQUEST, key }, { signWith: other.privateKey });
  await expect(jwtVerify(stranger, EmbeddedJWK)).rejects.toThrow('signature');
  const changed = forgeDpopProof({ ...REQUEST, key }, { claims: { htm: 'POST', ath: undefined } });
  const { payload } = await jwtVerify(changed, EmbeddedJWK);
  expect(payload).toMatchObject({ htm: 'POST', htu: HTU });
  expect(payload).not.toHaveProperty('ath');
});
