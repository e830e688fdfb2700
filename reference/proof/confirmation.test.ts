import { expect, test } from 'vitest';
import { readConfirmation } from './confirmation.ts';

const label = 'EXPORTER-oauth-tls-session-bound';
const thumbprint = 'abc';

test('cnf decides how a token is confirmed', () => {
  const x5t = { 'x5t#S256': thumbprint };
  expect(readConfirmation(undefined)).toEqual({ kind: 'none' });
  expect(readConfirmation({ ...x5t })).toEqual({ kind: 'certificate', thumbprint });
  expect(readConfirmation({ ...x5t, tls_exp: label })).toEqual({ kind: 'session', thumbprint, label });
  expect(readConfirmation({ ...x5t, tls_exp: label, other: {} })).toEqual({
    kind: 'session',
    thumbprint,
    label,
  });
});

test('a DPoP key stands alone or beside the other bindings', () => {
  const x5t = { 'x5t#S256': thumbprint };
  const dpopKey = 'key';
  const jkt = { jkt: dpopKey };
  expect(readConfirmation({ ...jkt, other: {} })).toEqual({ kind: 'key', dpopKey });
  expect(readConfirmation({ ...x5t, ...jkt })).toEqual({ kind: 'certificate', thumbprint, dpopKey });
  const session = { kind: 'session', thumbprint, label, dpopKey };
  expect(readConfirmation({ ...x5t, tls_exp: label, ...jkt })).toEqual(session);
});

test.each([null, '', 1, [], {}])('a jkt of %j cannot be enforced', (jkt) => {
  for (const others of [{}, { 'x5t#S256': thumbprint }, { 'x5t#S256': thumbprint, tls_exp: label }]) {
    expect(readConfirmation({ ...others, jkt })).toEqual({
      kind: 'unusable',
      description: 'the cnf claim of the access token has no usable jkt',
    });
  }
});

const labels = [true, 1, null, '', [], {}, [label], 'EXPORTER-other', label.toLowerCase(), 'master secret'];

test.each<[unknown, string]>([
  ...[null, 'text', 1, true, [], [{}]].map((cnf): [unknown, string] => [cnf, 'is not an object']),
  ...[
    {},
    { jkt: 'x', tls_exp: label },
    { tls_exp: label },
    { x5t: thumbprint, tls_exp: label },
    { 'x5t#S256': null, tls_exp: label },
    { 'x5t#S256': '', tls_exp: label },
    { 'x5t#S256': 1, tls_exp: label },
    { 'x5t#S256': [thumbprint], tls_exp: label },
  ].map((cnf): [unknown, string] => [cnf, 'has no usable x5t#S256']),
  ...labels.map((each): [unknown, string] => [
    { 'x5t#S256': thumbprint, tls_exp: each },
    'is not an exporter label known here',
  ]),
])('%j cannot be enforced and is never taken for unbound: it %s', (cnf, problem) => {
  expect(readConfirmation(cnf)).toEqual({
    kind: 'unusable',
    description: expect.stringMatching(new RegExp(`of the access token ${problem}$`)),
  });
});
