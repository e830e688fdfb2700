import { expect, test } from 'vitest';
import type { Field, Outcome } from '../../wire/connection.ts';
import { response as wireResponse } from '../target.fixture.ts';
import { confirmationOf, readAnswer, tokenOf } from './issued.ts';

function response(status: number, body: string, type = 'application/json'): Outcome {
  return wireResponse(status, [['Content-Type', type]], body);
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ typ: 'at+jwt', alg: 'ES256' })}.${part({ cnf: { tls_exp: 'label' } })}.c2ln`;

test.each<[string, Outcome, string]>([
  ['an error', response(400, '{"error":"invalid_request"}'), '400 invalid_request'],
  ['a response that is no JSON', response(502, '<html>', 'text/html'), '502'],
  ['JSON that is cut off', response(200, '{"access_token":'), '200'],
  ['JSON that is no object', response(200, '["access_token"]'), '200'],
  ['JSON that is null', response(200, 'null'), '200'],
  ['an error that is no text', response(400, '{"error":400}'), '400'],
  ['an empty token', response(200, '{"access_token":""}'), '200'],
  ['a token that is no text', response(200, '{"access_token":{}}'), '200'],
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

/** A token, in a body that these fields tell of. */
function fields(...told: readonly Field[]): Outcome {
  return wireResponse(200, told, '{"access_token":"x"}');
}

test.each<[string, Outcome, boolean]>([
  ['without a type', fields(), false],
  ['whose type is after other fields', fields(['Server', 'x'], ['content-TYPE', 'application/json']), true],
  ['of a type like JSON', fields(['Content-Type', 'application/token+JSON; charset=utf-8']), true],
  ['of another type', fields(['Content-Type', 'text/plain'], ['X-Type', 'application/json']), false],
  ['of a type of which JSON is but a part', fields(['Content-Type', 'application/jsonp']), false],
  ['of a type that only ends like JSON', fields(['Content-Type', 'text/application/json']), false],
])('a body %s is read as JSON or not (%#)', (_what, outcome, isJson) => {
  expect(readAnswer(1, outcome).json).toEqual(isJson ? { access_token: 'x' } : {});
});

test.each([
  ['its header cannot be read', `x.${part({})}.c2ln`],
  ['its claims cannot be read', `${part({})}.x.c2ln`],
  ['its claims are a list', `${part({})}.${part([])}.c2ln`],
  ['it is not signed', `${part({})}.${part({})}.`],
  ['it is encrypted', `${part({})}.${part({})}.x.x.x`],
])('a token is opaque where %s', (_what, compact) => {
  expect(tokenOf(readAnswer(1, response(200, JSON.stringify({ access_token: compact }))))).toEqual({
    compact,
    header: null,
    claims: null,
  });
});
