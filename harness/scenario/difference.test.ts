import { expect, test } from 'vitest';
import { contradiction, difference } from './difference.ts';

const control = new Map([
  ['request.method', 'GET'],
  ['token', 'JWT'],
  ['token.claims.sub', '"alice"'],
  ['proof', 'present'],
  ['proof.claims.ekm', "this connection's exporter value"],
  ['proof.claims.ath', 'SHA-256 of this token'],
]);

function varied(changes: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  const variant = new Map(control);
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) variant.delete(field);
    else variant.set(field, value);
  }
  return variant;
}

test('equal requests do not differ', () => {
  expect(difference(control, varied({}))).toEqual([]);
});

test('a changed, an added and a missing field are each told', () => {
  const variant = varied({
    'proof.claims.ekm': 'the exporter value of c2',
    'proof.claims.x': '1',
    'proof.claims.ath': undefined,
  });
  expect(difference(control, variant)).toEqual([
    {
      field: 'proof.claims.ekm',
      control: "this connection's exporter value",
      variant: 'the exporter value of c2',
    },
    { field: 'proof.claims.ath', control: 'SHA-256 of this token', variant: 'absent' },
    { field: 'proof.claims.x', control: 'absent', variant: '1' },
  ]);
});

test.each(['proof', 'token'])(
  'a %s that is not there, or cannot be taken apart, is one difference',
  (part) => {
    const variant = new Map(
      [...control]
        .filter(([field]) => !field.startsWith(`${part}.`))
        .map(([field, value]) => [field, field === part ? 'none' : value] as const),
    );
    expect(difference(control, variant).map((entry) => entry.field)).toEqual([part]);
  },
);

test('what differs and what was declared are compared both ways', () => {
  const found = difference(control, varied({ 'request.method': 'POST', 'proof.claims.ekm': 'x' }));
  expect(contradiction(found, ['proof.claims.ekm', 'request.method'])).toBeUndefined();
  expect(contradiction(found, ['request.method'])).toBe('also differs in proof.claims.ekm');
  expect(contradiction(found, ['request.method', 'proof.claims.ekm', 'proof.claims.iat'])).toBe(
    'does not differ in proof.claims.iat',
  );
});

test('several fields are told one after the other', () => {
  const found = difference(control, varied({ 'request.method': 'POST', 'proof.claims.ekm': 'x' }));
  expect(contradiction(found, ['a', 'b'])).toBe(
    'also differs in request.method, proof.claims.ekm and does not differ in a, b',
  );
});
