import { expect, test } from 'vitest';
import type { Field } from '../../wire/connection.ts';
import { challenged, served, serveProven, status } from './answers.ts';
import { arrived } from './client-under-test.fixture.ts';

const token: Field = ['Authorization', 'Bearer t'];
const proof: Field = ['Session-Binding-Proof', 'p'];

const challengeFor = (error: string) => ({
  kind: 'response',
  status: 401,
  fields: [
    ['WWW-Authenticate', `Bearer realm="tsbt", error="${error}", error_description="the suite says so"`],
  ],
  body: '',
});

test('what is served has a JSON body, by default one that says so', () => {
  const answer = served();
  expect(answer).toMatchObject({
    kind: 'response',
    status: 200,
    fields: [['Content-Type', 'application/json']],
  });
  expect(answer.kind === 'response' && JSON.parse(answer.body)).toEqual({ served: true });
  expect(served([['X-A', 'b']], '{}')).toEqual({
    kind: 'response',
    status: 200,
    fields: [
      ['Content-Type', 'application/json'],
      ['X-A', 'b'],
    ],
    body: '{}',
  });
});

test('a status comes alone, or with fields and a body', () => {
  expect(status(503)).toEqual({ kind: 'response', status: 503, fields: [], body: '' });
  expect(status(503, [['Retry-After', '1']], 'later')).toEqual({
    kind: 'response',
    status: 503,
    fields: [['Retry-After', '1']],
    body: 'later',
  });
});

test('a challenge names its error, unless it is written otherwise', () => {
  expect(challenged('invalid_proof')).toEqual(challengeFor('invalid_proof'));
  expect(challenged('invalid_token', 'Bearer')).toMatchObject({
    status: 401,
    fields: [['WWW-Authenticate', 'Bearer']],
  });
});

test.each<[string, readonly Field[]]>([
  ['a token and a proof', [token, proof]],
  ['a DPoP token and a proof', [['Authorization', 'DPoP t'], proof]],
  ['neither', []],
  ['a proof alone', [proof]],
])('a request with %s is served', async (_what, fields) => {
  expect(await serveProven(arrived({ fields }))).toEqual(served());
});

test.each<[string, readonly Field[]]>([
  ['a token', [token]],
  ['a DPoP token', [['Authorization', 'DPoP t']]],
])('a request with %s alone is asked for a proof', async (_what, fields) => {
  expect(await serveProven(arrived({ fields }))).toEqual(challengeFor('use_session_binding'));
});
