import { expect, test } from 'vitest';
import { combine, declaredDifference } from './request.ts';
import type { Variation } from './request.ts';

test('claims of two plans are combined, other members are replaced', () => {
  const combined = combine(
    { method: 'POST', proof: { claims: { htm: 'POST' } }, fields: [['A', '1']] },
    { proof: { claims: { ekm: 'x' }, algorithm: 'ES384' }, fields: [['B', '2']] },
  );
  expect(combined).toEqual({
    method: 'POST',
    proof: { claims: { htm: 'POST', ekm: 'x' }, algorithm: 'ES384' },
    fields: [
      ['A', '1'],
      ['B', '2'],
    ],
  });
});

test('a proof that is left out, or given as text, replaces the planned one', () => {
  expect(combine({ proof: { claims: { a: 1 } } }, { proof: null })).toEqual({ proof: null });
  expect(combine({ proof: { claims: { a: 1 } } }, { proof: 'text' })).toEqual({ proof: 'text' });
});

test.each<[string, Omit<Variation, 'what'>, readonly string[]]>([
  ['a claim', { change: { proof: { claims: { ekm: 'x' } } } }, ['proof.claims.ekm']],
  ['a header member', { change: { proof: { header: { typ: undefined } } } }, ['proof.header.typ']],
  ['no proof', { change: { proof: null } }, ['proof']],
  ['another signer', { change: { proof: { signature: (right) => right } } }, ['proof.signature']],
  ['another algorithm', { change: { proof: { algorithm: 'ES384' } } }, ['proof.header.alg']],
  ['no token', { change: { token: null } }, ['token', 'request.authorization']],
  ['another scope', { change: { token: { scope: 'x' } } }, ['token.claims.scope']],
  ['a field', { change: { fields: [['X-A', '1']] } }, ['request.field.x-a']],
  ['a method and a path', { change: { method: 'PUT', path: '/x' } }, ['request.method', 'request.target']],
  ['another certificate', { connect: { identity: null } }, ['connection.certificate']],
  ['what is said explicitly', { change: { proof: null }, differs: ['something'] }, ['something']],
])('%s declares what it touches', (_what, variation, expected) => {
  expect(declaredDifference({ what: 'w', ...variation })).toEqual(expected);
});
