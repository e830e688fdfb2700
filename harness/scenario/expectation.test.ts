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

test.each<[string, Outcome, ReturnType<typeof read>]>([
  ['success', response(200), { kind: 'served', text: '200' }],
  ['success without content', response(299), { kind: 'served', text: '299' }],
  ['a failure of the target', response(500), { kind: 'server-error', text: '500' }],
  ['an alert', failure('tls-alert'), { kind: 'cut', text: 'tls-alert: d' }],
  ['a handshake that failed', failure('tls-handshake'), { kind: 'cut', text: 'tls-handshake: d' }],
  ['a closed connection', failure('closed'), { kind: 'cut', text: 'closed: d' }],
  ['a reset', failure('reset'), { kind: 'cut', text: 'reset: d' }],
  ['a reset stream', failure('stream-reset'), { kind: 'cut', text: 'stream-reset: d' }],
  ['silence', failure('timeout'), { kind: 'no-answer', text: 'timeout: d' }],
  ['an endless response', failure('endless-response'), { kind: 'no-answer', text: 'endless-response: d' }],
  [
    'a code',
    response(401, bearer('invalid_proof')),
    { kind: 'refused', status: 401, bearer: true, error: 'invalid_proof', text: '401 invalid_proof' },
  ],
  [
    'a challenge without code, and then one with it',
    response(401, ['WWW-Authenticate', 'Bearer'], bearer('invalid_token')),
    { kind: 'refused', status: 401, bearer: true, error: 'invalid_token', text: '401 invalid_token' },
  ],
  [
    'a challenge without code',
    response(401, ['WWW-Authenticate', 'Bearer']),
    {
      kind: 'refused',
      status: 401,
      bearer: true,
      error: null,
      text: '401 a Bearer challenge without error',
    },
  ],
  [
    'a code in a field of another name',
    response(499, ['X-Authenticate', 'Bearer error="invalid_proof"']),
    { kind: 'refused', status: 499, bearer: false, error: null, text: '499 no Bearer challenge' },
  ],
  [
    'a challenge of another scheme',
    response(300, ['WWW-Authenticate', 'DPoP error="invalid_proof"']),
    {
      kind: 'refused',
      status: 300,
      bearer: false,
      error: null,
      dpop: 'invalid_proof',
      text: '300 DPoP invalid_proof',
    },
  ],
  [
    'a challenge of another scheme without code, and one of a third',
    response(401, ['WWW-Authenticate', 'DPoP algs="ES256", Basic realm="r"']),
    {
      kind: 'refused',
      status: 401,
      bearer: false,
      error: null,
      dpop: null,
      text: '401 DPoP challenge without error',
    },
  ],
  [
    'a challenge that does not parse',
    response(401, ['WWW-Authenticate', 'Bearer a=b, error=']),
    {
      kind: 'refused',
      status: 401,
      bearer: false,
      error: null,
      text: '401 with a WWW-Authenticate field that does not parse (a parameter without a value, in: Bearer a=b, error=)',
      unreadable: 'a parameter without a value, in: Bearer a=b, error=',
    },
  ],
  [
    'an answer that is none yet',
    response(199),
    { kind: 'refused', status: 199, bearer: false, error: null, text: '199 no Bearer challenge' },
  ],
])('%s is read, not judged', (_what, outcome, reading) => {
  expect(read(outcome)).toEqual(reading);
});

test.each([
  ['a challenge without code', response(401, ['WWW-Authenticate', 'Bearer']), 'as-expected'],
  ['a challenge with any code', response(401, bearer('x')), 'as-expected'],
  ['another status', response(403, bearer('x')), 'other-manner'],
  ['no challenge', response(401), 'other-manner'],
] as const)('%s against a 401 of any code', (_what, outcome, expected) => {
  expect(match(read(outcome), refusedExactly('401'))).toBe(expected);
});

test('a DPoP challenge of any code is a manner of its own', () => {
  const dpop = (status: number) =>
    read(response(status, ['WWW-Authenticate', 'DPoP error="invalid_dpop_proof"']));
  expect(match(dpop(401), refusedExactly('401-dpop'))).toBe('as-expected');
  expect(match(dpop(403), refusedExactly('401-dpop'))).toBe('other-manner');
  expect(match(dpop(401), refusedExactly('401'))).toBe('other-manner');
  expect(match(read(response(401, bearer('x'))), refusedExactly('401-dpop'))).toBe('other-manner');
  expect(expectationText(refused('401-dpop'))).toBe('401 with a DPoP challenge');
});

test('a refusal of which nothing is said may be of any manner', () => {
  expect(refused()).toEqual({ refusals: ['denied'], exact: false });
  expect(refused('401', 'denied')).toEqual({ refusals: ['401', 'denied'], exact: false });
  expect(refusedExactly('401')).toEqual({ refusals: ['401'], exact: true });
});

test('an expectation in words', () => {
  expect(expectationText(refused())).toBe('refused');
  expect(expectationText(refused('401'))).toBe('401 with a Bearer challenge');
  expect(expectationText(refused('insufficient_scope', 'use_session_binding'))).toBe(
    '403 insufficient_scope or 401 use_session_binding',
  );
});
