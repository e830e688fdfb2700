import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { createDpopKey, dpopKey, dpopKeyOf, forgeDpopProof } from '../../forge/dpop-proof.ts';
import type { JwtChange } from '../../forge/jwt.ts';
import { pki } from '../target.fixture.ts';
import { dpopProofsOf, examineDpop } from './dpop-examination.ts';
import type { DpopCircumstances } from './dpop-examination.ts';

const origin = 'https://localhost:1';
const [key, other] = [createDpopKey('k'), createDpopKey('other')];
const NOW = 1_800_000_000;
const request = { method: 'GET', target: '/resource?q=1', receivedAt: NOW * 1000 };

/** What is wrong with a DPoP proof that is right but for the change. */
function examined(
  change: JwtChange = {},
  { by = key, ...beside }: Partial<DpopCircumstances> & { readonly by?: typeof key } = {},
): readonly string[] {
  const proof = forgeDpopProof(
    { key: by, token: 't', htm: 'GET', htu: `${origin}/resource` },
    { ...change, claims: { iat: NOW, ...change.claims } },
  );
  return examineDpop([proof], { token: 't', jkt: key.thumbprint, request, origin, ...beside });
}

const NOT_BOUND = 'the DPoP proof: the key in its header is not the one that the token is bound to';
const NOT_SIGNED = 'the DPoP proof: its signature does not verify under the key in its header';

test('nothing is wrong with a right proof', () => {
  expect(examined()).toEqual([]);
});

test.each(['P-384', 'RSA', 'Ed25519'] as const)('nothing is wrong with a right proof by a %s key', (type) => {
  const by = dpopKeyOf(pki.alice[type]);
  expect(examined({}, { by, jkt: by.thumbprint })).toEqual([]);
});

test.each(['/resource', '/resource#f', '/resource?q=1?r#f\n'])(
  'htu is %j without query and fragment',
  (target) => {
    expect(examined({}, { request: { ...request, target } })).toEqual([]);
  },
);

test('a nonce is looked at where one was given, and only there', () => {
  expect(examined({ claims: { nonce: 'n' } }, { nonce: 'n' })).toEqual([]);
  expect(examined({ claims: { nonce: 'n' } })).toEqual([]);
  expect(examined({}, { nonce: 'n' })).toEqual(['the DPoP proof: nonce is undefined']);
  expect(examined({ claims: { nonce: 'm' } }, { nonce: 'n' })).toEqual(['the DPoP proof: nonce is "m"']);
});

test.each([-60, 60])('a proof may be made %i s from its request', (offset) => {
  expect(examined({ claims: { iat: NOW + offset } })).toEqual([]);
});

test.each<[string, JwtChange, string]>([
  ['typ', { header: { typ: 'JWT' } }, 'its typ is "JWT"'],
  ['ath', { claims: { ath: 'x' } }, 'ath is not the hash of the token'],
  ['missing ath', { claims: { ath: undefined } }, 'ath is not the hash of the token'],
  ['htm', { claims: { htm: 'POST' } }, 'htm is "POST"'],
  ['htu, with the query,', { claims: { htu: `${origin}/resource?q=1` } }, `htu is "${origin}/resource?q=1"`],
  ['htu, of another host,', { claims: { htu: 'https://x/resource' } }, 'htu is "https://x/resource"'],
  ['empty jti', { claims: { jti: '' } }, 'jti is ""'],
  ['jti, a number,', { claims: { jti: 7 } }, 'jti is 7'],
  [
    'iat, too old,',
    { claims: { iat: NOW - 61 } },
    `iat is ${NOW - 61}, which is not the time of the request`,
  ],
  ['iat, ahead,', { claims: { iat: NOW + 61 } }, `iat is ${NOW + 61}, which is not the time of the request`],
  ['iat, a text,', { claims: { iat: `${NOW}` } }, `iat is "${NOW}", which is not the time of the request`],
])('a wrong %s is told, and nothing else', (_what, change, words) => {
  expect(examined(change)).toEqual([`the DPoP proof: ${words}`]);
});

test('a proof by another key is told by its key, and one that only states the right key by its signature', () => {
  expect(examined({}, { by: other })).toEqual([NOT_BOUND]);
  expect(examined({ signWith: other.privateKey })).toEqual([NOT_SIGNED]);
});

test.each<[string, unknown]>([
  ['is missing', undefined],
  ['is text', key.thumbprint],
  ['is of no type', {}],
  ['has no point', { kty: 'EC', crv: 'P-256' }],
])('a key that %s neither is the bound one nor verifies anything', (_what, jwk) => {
  expect(examined({ header: { jwk } })).toEqual([NOT_BOUND, NOT_SIGNED]);
});

test('a symmetric key is disclosed by naming it, and a private one by its private members', () => {
  const DISCLOSED = 'the DPoP proof: its header discloses the private key';
  expect(examined({ header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } })).toEqual([
    NOT_BOUND,
    DISCLOSED,
    NOT_SIGNED,
  ]);
  const jwk = key.privateKey.export({ format: 'jwk' });
  expect(examined({ header: { jwk } })).toEqual([DISCLOSED]);
});

test('htu is compared after normalization (RFC 9449 §4.3)', () => {
  for (const htu of [
    `${origin}/resource`.toUpperCase().replace('RESOURCE', 'resource'),
    `${origin}/x/../resource`,
  ])
    expect(examined({ claims: { htu } })).toEqual([]);
  for (const htu of [7, 'no URI', `${origin}/resource#f`, `${origin}/RESOURCE`])
    expect(examined({ claims: { htu } })).toEqual([`the DPoP proof: htu is ${JSON.stringify(htu)}`]);
});

test('each curve has its own algorithm (RFC 7518 §3.4)', () => {
  expect(examined({ header: { alg: 'ES384' } })).toEqual([
    'the DPoP proof: its alg is "ES384", and the key in its header is for ES256',
    NOT_SIGNED,
  ]);
});

test('an RSA key has 2048 bits at least (RFC 7518 §3.3)', () => {
  const by = dpopKey('short', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'PS256');
  expect(examined({}, { by, jkt: by.thumbprint })).toEqual([
    'the DPoP proof: its RSA key has 1024 bits, and must have 2048 at least',
  ]);
});

test('several mistakes are told each on its own', () => {
  expect(examined({ header: { typ: 'JWT' }, claims: { htm: 'POST', jti: undefined } })).toEqual([
    'the DPoP proof: its typ is "JWT"',
    'the DPoP proof: htm is "POST"',
    'the DPoP proof: jti is undefined',
  ]);
});

test.each<[string, JwtChange, string]>([
  ['a word', { compact: () => 'x' }, '1 of 3 parts'],
  ['a JWT without signature', { signature: () => Buffer.alloc(0) }, 'the signature is empty'],
  ['a header that is no object', { headerText: () => '[]' }, 'the header is not a JSON object'],
  ['claims that are no object', { payloadText: () => '7' }, 'the payload is not a JSON object'],
])('%s is no DPoP proof, and nothing further is said', (_what, change, why) => {
  expect(examined(change)).toEqual([`the DPoP proof is not a JWT: ${why}`]);
});

test('there has to be one proof, and no more', () => {
  const circumstances = { token: 't', jkt: key.thumbprint, request, origin };
  expect(examineDpop([], circumstances)).toEqual(['there is no DPoP proof']);
  expect(examineDpop(['a', 'b', 'c'], circumstances)).toEqual(['there are 3 DPoP proofs']);
});

test('DPoP proofs are found whatever the letter case of their field', () => {
  const fields = [
    ['DPOP', 'a'],
    ['X', 'b'],
    ['dpop', 'c'],
  ] as const;
  expect(dpopProofsOf({ fields })).toEqual(['a', 'c']);
});
