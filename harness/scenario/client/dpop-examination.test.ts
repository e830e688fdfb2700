import { expect, test } from 'vitest';
import { createDpopKey, forgeDpopProof } from '../../forge/dpop-proof.ts';
import type { JwtChange } from '../../forge/jwt.ts';
import { dpopProofsOf, examineDpop } from './dpop-examination.ts';

const origin = 'https://localhost:1';
const [key, other] = [createDpopKey('k'), createDpopKey('other')];
const request = { method: 'GET', target: '/resource?q=1', receivedAt: Date.now() };

function examined(change: JwtChange = {}, nonce?: string, by = key) {
  const proof = forgeDpopProof({ key: by, token: 't', htm: 'GET', htu: `${origin}/resource` }, change);
  return examineDpop([proof], { token: 't', jkt: key.thumbprint, request, origin, nonce });
}

test('nothing is wrong with a right proof', () => {
  expect(examined()).toEqual([]);
  expect(examined({ claims: { nonce: 'n' } }, 'n')).toEqual([]);
});

test.each<[string, readonly string[]]>([
  ['typ', examined({ header: { typ: 'JWT' } })],
  ['the key in its header', examined({}, undefined, other)],
  ['the key in its header', examined({ header: { jwk: { kty: 'oct' } } })],
  ['signature', examined({ signWith: other.privateKey })],
  ['ath', examined({ claims: { ath: 'x' } })],
  ['htm', examined({ claims: { htm: 'POST' } })],
  ['htu', examined({ claims: { htu: `${origin}/resource?q=1` } })],
  ['jti', examined({ claims: { jti: '' } })],
  ['iat', examined({ claims: { iat: 1 } })],
  ['nonce', examined({}, 'n')],
  ['not a JWT', examined({ compact: () => 'x' })],
  ['no DPoP proof', examineDpop([], { token: 't', jkt: '', request, origin })],
  ['2 DPoP proofs', examineDpop(['a', 'b'], { token: 't', jkt: '', request, origin })],
])('a wrong %s is told', (member, found) => {
  expect(found.join('; ')).toContain(member);
});

test('DPoP proofs are found whatever the letter case of their field', () => {
  const fields = [
    ['DPOP', 'a'],
    ['X', 'b'],
    ['dpop', 'c'],
  ] as const;
  expect(dpopProofsOf({ fields })).toEqual(['a', 'c']);
});
