import { expect, test } from 'vitest';
import { readConfirmation } from './confirmation.ts';

const label = 'EXPORTER-oauth-tls-session-bound';
const thumbprint = 'abc';

test('cnf decides how a token is confirmed', () => {
  const x5t = { 'x5t#S256': thumbprint };
  expect(readConfirmation(undefined)).toEqual({ kind: 'none' });
  expect(readConfirmation({ ...x5t })).toEqual({ kind: 'certificate', thumbprint });
  expect(readConfirmation({ ...x5t, tls_exp: label })).toEqual({ kind: 'session', thumbprint, label });
  expect(readConfirmation({ ...x5t, tls_exp: label, jkt: 'x', other: {} })).toMatchObject({
    kind: 'session',
  });
});

const labels = [true, 1, null, '', [], {}, [label], 'EXPORTER-other', label.toLowerCase(), 'master secret'];

test.each<[unknown]>([
  [null],
  ['text'],
  [1],
  [true],
  [[]],
  [[{}]],
  [{}],
  [{ jkt: 'x' }],
  [{ tls_exp: label }],
  [{ x5t: thumbprint, tls_exp: label }],
  [{ 'x5t#S256': null, tls_exp: label }],
  [{ 'x5t#S256': '', tls_exp: label }],
  [{ 'x5t#S256': 1, tls_exp: label }],
  [{ 'x5t#S256': [thumbprint], tls_exp: label }],
  ...labels.map((each): [unknown] => [{ 'x5t#S256': thumbprint, tls_exp: each }]),
])('%j cannot be enforced and is never taken for unbound', (cnf) => {
  expect(readConfirmation(cnf)).toMatchObject({ kind: 'unusable' });
});
