import { assert, property, uint8Array } from 'fast-check';
import { createHash, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { signer, signJws } from './jws.ts';
import { ath, readJwt, signatureVerifies } from './read.ts';

const part = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

test.each([
  ['', '1 of 3 parts'],
  ['a.b', '2 of 3 parts'],
  ['.......', '8 of 3 parts'],
  ['........', 'more than 8 parts'],
  ['.'.repeat(1000), 'more than 8 parts'],
  [`${part('{}')}.${part('{}')}.`, 'the signature is empty'],
  [`${part('x')}.${part('{}')}.AA`, 'the header is not JSON'],
  [`${part('{}')}.${part('[]')}.AA`, 'the payload is not a JSON object'],
  [`${part('null')}.${part('{}')}.AA`, 'the header is not a JSON object'],
  [`${part('"text"')}.${part('{}')}.AA`, 'the header is not a JSON object'],
  [`${part('{}')}.${part('1')}.AA`, 'the payload is not a JSON object'],
  [`${part('{}')}.${part('{}')}=.AA`, 'the payload is not canonical base64url'],
  [`${part('{}')}.${part(Buffer.from([0xff]))}.AA`, 'the payload is not UTF-8'],
])('says what is wrong with %j', (compact, problem) => {
  expect(readJwt(compact).problem).toBe(problem);
});

test('reads whatever it is given', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  assert(
    property(uint8Array({ maxLength: 64 }), (octets) => {
      const text = Buffer.from(octets).toString('latin1');
      expect(readJwt(text).parts.length).toBeGreaterThan(0);
      expect(signatureVerifies(text, publicKey)).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('what can be read of a JWT is', () => {
  const right = `${part('{"alg":"x"}')}.${part('{"sub":"y"}')}.AA`;
  expect(readJwt(right)).toStrictEqual({
    header: { alg: 'x' },
    claims: { sub: 'y' },
    parts: right.split('.'),
  });
  expect(readJwt('a')).toMatchObject({ claims: undefined });
  expect(readJwt(`${part('text')}.${part('[1]')}.`)).toMatchObject({ header: 'text', claims: [1] });
  expect(readJwt('.'.repeat(1000)).parts).toHaveLength(8);
});

test('a token that is not ASCII is hashed by the octets of its field', () => {
  expect(ath('t\xe4')).toBe(
    createHash('sha256')
      .update(Buffer.from([0x74, 0xe4]))
      .digest('base64url'),
  );
});

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');
const ed448 = generateKeyPairSync('ed448');
const x25519 = generateKeyPairSync('x25519');

/** A JWT whose header names one algorithm, signed with another, or with the same. */
function jwt(named: unknown, { privateKey }: { readonly privateKey: KeyObject }, by = String(named)): string {
  return signJws({ header: { alg: named }, payload: {}, sign: signer(by, privateKey) });
}

test.each([
  ['ES256', ec],
  ['ES384', ec],
  ['RS256', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', pss],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
  ['EdDSA', ed448],
] as const)('%s verifies under the key that signed, and under no other', (algorithm, pair) => {
  const compact = jwt(algorithm, pair);
  for (const { publicKey } of [ec, rsa, pss, ed25519, ed448])
    expect(signatureVerifies(compact, publicKey)).toBe(publicKey === pair.publicKey);
  expect(signatureVerifies(compact, x25519.publicKey)).toBe(false);
});

test.each([
  ['RS256', ec, 'ES256'],
  ['AES256', ec, 'ES256'],
  ['XX256', ec, 'ES256'],
  ['ES', ec, 'ES256'],
  ['HS256', rsa, 'RS256'],
  ['ES256', rsa, 'RS256'],
  ['XPS256', rsa, 'PS256'],
  ['RS', rsa, 'RS256'],
  ['RS256', rsa, 'PS256'],
  ['PS256', rsa, 'RS256'],
  ['Ed448', ed25519, 'EdDSA'],
  ['ES256', ed25519, 'EdDSA'],
  ['Ed25519', ed448, 'EdDSA'],
  [['EdDSA'], ed25519, 'EdDSA'],
  [undefined, ed25519, 'EdDSA'],
] as const)('a header that names %j does not verify where the key signed otherwise', (named, pair, by) => {
  expect(signatureVerifies(jwt(named, pair, by), pair.publicKey)).toBe(false);
});

test('what is no JWT with a signature does not verify', () => {
  const right = jwt('EdDSA', ed25519);
  const [header, payload] = right.split('.');
  expect(signatureVerifies(right, ed25519.publicKey)).toBe(true);
  for (const text of ['', header ?? '', `${header}.${payload}`, `${header}.${payload}.`, `${right}.x`])
    expect(signatureVerifies(text, ed25519.publicKey)).toBe(false);
  const sign = signer('EdDSA', ed25519.privateKey);
  for (const odd of ['null', '"EdDSA"', '["EdDSA"]'])
    expect(signatureVerifies(signJws({ header: odd, payload: {}, sign }), ed25519.publicKey)).toBe(false);
});
