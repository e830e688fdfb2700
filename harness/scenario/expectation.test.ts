import { expect, test } from 'vitest';
import type { Field, Outcome } from '../wire/connection.ts';
import { expectationText, match, read, refused, refusedExactly } from './expectation.ts';

function response(status: number, ...fields: Field[]): Outcome {
  return {
    type: 'response',
    status,
    fields,
    body: Buffer.alloc(0),
    bodyTruncated: false,
    informational: [],
    durationMs: 1,
  };
}

function failure(kind: (Outcome & { type: 'failure' })['kind']): Outcome {
  return { type: 'failure', kind, detail: 'd', durationMs: 1 };
}

const bearer = (error: string): Field => ['WWW-Authenticate', `Bearer realm="r", error="${error}"`];

test.each([
  ['the expected code', response(401, bearer('invalid_proof')), 'as-expected'],
  ['another code', response(401, bearer('invalid_token')), 'other-manner'],
  ['the code under another status', response(400, bearer('invalid_proof')), 'other-manner'],
  [
    'a challenge of another scheme',
    response(401, ['WWW-Authenticate', 'DPoP error="invalid_proof"']),
    'other-manner',
  ],
  [
    'a second challenge with the code',
    response(401, ['www-authenticate', 'DPoP algs="ES256", bearer error="invalid_proof"']),
    'as-expected',
  ],
  [
    'a challenge that does not parse',
    response(401, ['WWW-Authenticate', 'Bearer error="invalid_proof']),
    'other-manner',
  ],
  ['a redirect', response(302), 'other-manner'],
  ['success', response(204), 'served'],
  ['a failure of the target', response(503), 'server-error'],
  ['a closed connection', failure('closed'), 'other-manner'],
  ['silence', failure('timeout'), 'no-answer'],
  ['garbage', failure('garbage'), 'no-answer'],
  ['nobody there', failure('refused'), 'no-answer'],
] as const)('%s against 401 invalid_proof', (_what, outcome, expected) => {
  expect(match(read(outcome), refused('invalid_proof'))).toBe(expected);
});

test.each([
  ['a 404', response(404), 'as-expected'],
  ['a TLS alert', failure('tls-alert'), 'as-expected'],
  ['a reset stream', failure('stream-reset'), 'as-expected'],
  ['success', response(200), 'served'],
  ['silence', failure('timeout'), 'no-answer'],
] as const)('%s against any refusal', (_what, outcome, expected) => {
  expect(match(read(outcome), refused('denied'))).toBe(expected);
});

test('insufficient scope is a 403, every other code a 401', () => {
  expect(match(read(response(403, bearer('insufficient_scope'))), refusedExactly('insufficient_scope'))).toBe(
    'as-expected',
  );
  expect(match(read(response(401, bearer('insufficient_scope'))), refusedExactly('insufficient_scope'))).toBe(
    'other-manner',
  );
});

test('any of several manners will do', () => {
  const either = refusedExactly('invalid_token', 'invalid_proof');
  expect(match(read(response(401, bearer('invalid_proof'))), either)).toBe('as-expected');
  expect(expectationText(either)).toBe('401 invalid_token or 401 invalid_proof');
});
