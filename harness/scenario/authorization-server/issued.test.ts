import { expect, test } from 'vitest';
import type { Outcome } from '../../wire/connection.ts';
import { confirmationOf, readAnswer, tokenOf } from './issued.ts';

function response(status: number, body: string, type = 'application/json'): Outcome {
  return {
    type: 'response',
    status,
    fields: [['Content-Type', type]],
    body: Buffer.from(body),
    bodyTruncated: false,
    informational: [],
    durationMs: 1,
  };
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ typ: 'at+jwt', alg: 'ES256' })}.${part({ cnf: { tls_exp: 'label' } })}.c2ln`;

test.each<[string, Outcome, string]>([
  ['an error', response(400, '{"error":"invalid_request"}'), '400 invalid_request'],
  ['a response that is no JSON', response(502, '<html>', 'text/html'), '502'],
  ['JSON that is cut off', response(200, '{"access_token":'), '200'],
  ['JSON that is no object', response(200, '["access_token"]'), '200'],
  ['no response', { type: 'failure', kind: 'tls-alert', detail: '', durationMs: 1 }, 'tls-alert'],
])('%s is told in a few words, and gives no token', (_what, outcome, text) => {
  const answer = readAnswer(3, outcome);
  expect([answer.id, answer.text]).toEqual([3, text]);
  expect(tokenOf(answer)).toBeNull();
});

test('a JWT is taken apart, another token is opaque', () => {
  const issued = tokenOf(readAnswer(1, response(200, JSON.stringify({ access_token: jwt }))));
  expect(issued?.header).toEqual({ typ: 'at+jwt', alg: 'ES256' });
  expect(confirmationOf(issued?.claims ?? null)).toEqual({ tls_exp: 'label' });
  expect(tokenOf(readAnswer(1, response(200, '{"access_token":"opaque.with.dots"}')))).toEqual({
    compact: 'opaque.with.dots',
    header: null,
    claims: null,
  });
});

test.each([
  ['an error', 400],
  ['a redirection', 302],
])('a token in %s is none', (_what, status) => {
  expect(tokenOf(readAnswer(1, response(status, JSON.stringify({ access_token: jwt }))))).toBeNull();
});

test.each([null, {}, { cnf: 'text' }, { cnf: [] }, { cnf: null }])('%j confirms nothing', (claims) => {
  expect(confirmationOf(claims)).toBeNull();
});
