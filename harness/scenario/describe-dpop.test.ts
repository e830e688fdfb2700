import { expect, test } from 'vitest';
import { createDpopKey, forgeDpopProof } from '../forge/dpop-proof.ts';
import type { Field } from '../wire/connection.ts';
import type { JwtChange } from '../forge/jwt.ts';
import { described, part, withToken } from './description.fixture.ts';
import { difference } from './difference.ts';
import { combine, declaredDifference } from './request.ts';

const [alice, mallory] = [createDpopKey("alice's DPoP key"), createDpopKey("mallory's DPoP key")];
const HTU = 'https://rs.tsbt.test/resource';
const known = { dpopKeys: [alice, mallory], dpopNonces: new Set(['n']) };

function proofWith(change: JwtChange = {}, nonce?: string): string {
  return forgeDpopProof({ key: alice, token: 't', htm: 'GET', htu: HTU, nonce }, change);
}

function withDpop(dpop: readonly string[], fields: readonly Field[] = dpop.map((proof) => ['DPoP', proof])) {
  const now = Math.floor(Date.now() / 1000);
  return described({ request: { fields }, sent: { token: 't', dpop, now }, known });
}

test('a right DPoP proof is told by what its parts are', () => {
  expect(part(withDpop([proofWith({ claims: { jti: 'x' } }, 'n')]), 'dpop')).toEqual({
    dpop: 'present',
    'dpop.header.typ': '"dpop+jwt"',
    'dpop.header.alg': '"ES256"',
    'dpop.header.jwk': "alice's DPoP key",
    'dpop.claims.jti': 'fresh',
    'dpop.claims.htm': '"GET"',
    'dpop.claims.htu': `"${HTU}"`,
    'dpop.claims.iat': 'now',
    'dpop.claims.ath': 'SHA-256 of this token',
    'dpop.claims.nonce': 'a nonce that the target gave',
    'dpop.signature': 'by the key in its header',
  });
  expect(withDpop([proofWith()]).has('request.field.dpop')).toBe(false);
});

test.each<[string, JwtChange, string, string]>([
  ['another signer', { signWith: mallory.privateKey }, 'dpop.signature', "by mallory's DPoP key"],
  [
    'no known signer',
    { signWith: createDpopKey('x').privateKey },
    'dpop.signature',
    'by no key that the suite knows',
  ],
  ['a used jti', { claims: { jti: 'seen' } }, 'dpop.claims.jti', 'used before: seen'],
  ['another ath', { claims: { ath: 'x' } }, 'dpop.claims.ath', '"x"'],
  ['another nonce', { claims: { nonce: 'm' } }, 'dpop.claims.nonce', '"m"'],
  ['another jwk', { header: { jwk: mallory.jwk } }, 'dpop.header.jwk', "mallory's DPoP key"],
  ['no jwk', { header: { jwk: 1 } }, 'dpop.header.jwk', '1'],
  ['nothing of a JWT', { compact: () => 'text' }, 'dpop', 'text: text'],
])('%s is told', (_what, change, field, told) => {
  expect(withDpop([proofWith(change)]).get(field)).toBe(told);
});

test('where a DPoP proof stands, and how many there are, is told', () => {
  const proof = proofWith();
  expect(withDpop([proof, proof]).get('dpop')).toBe('2 values');
  expect(withDpop([proof], [['Session-Binding-Proof', proof]]).get('dpop')).toBe('in session-binding-proof');
  expect(withDpop([proof], []).get('dpop')).toBe('in no field');
  expect(withDpop([proof], [['X', proof]]).get('request.field.x')).toBe('<the DPoP proof>');
});

test('a missing DPoP proof is one difference, and jkt is told by its key', () => {
  const found = difference(withDpop([proofWith()]), described({ sent: { token: 't' } }));
  expect(found.filter(({ field }) => field.startsWith('dpop'))).toEqual([
    { field: 'dpop', control: 'present', variant: 'absent' },
  ]);
  const bound = withToken({ jkt: alice }, { known });
  expect(bound.get('token.claims.cnf.jkt')).toBe("thumbprint of alice's DPoP key");
});

test('a plan’s DPoP proof declares what it differs in', () => {
  const declared = (dpop: Parameters<typeof combine>[0]['dpop']) =>
    declaredDifference({ what: '', change: { ...(dpop !== undefined && { dpop }) } });
  expect(declared(null)).toEqual(['dpop']);
  expect(declared('text')).toEqual(['dpop']);
  expect(declared({ by: mallory })).toEqual(['dpop.header.jwk']);
  expect(declared({ signWith: mallory.privateKey, claims: { htm: 'x' } })).toEqual([
    'dpop.claims.htm',
    'dpop.signature',
  ]);
  expect(declared({ algorithm: 'none', carriage: () => [] })).toEqual(['dpop.header.alg', 'dpop']);
  expect(declaredDifference({ what: '', change: { token: { jkt: alice } } })).toEqual([
    'token.claims.cnf.jkt',
  ]);
  expect(combine({ dpop: { claims: { a: 1 } } }, { dpop: { claims: { b: 2 }, by: mallory } })).toEqual({
    dpop: { claims: { a: 1, b: 2 }, by: mallory },
  });
  expect(combine({ dpop: {} }, { dpop: null })).toEqual({ dpop: null });
});
