import { expect, test } from 'vitest';
import { parseChallenges } from './challenge.ts';

function read(...values: string[]) {
  const parsed = parseChallenges(values);
  if (!parsed.ok) return parsed.problem;
  return parsed.challenges.map((c) => [c.scheme, Object.fromEntries(c.parameters), c.token68]);
}

test.each([
  [['Bearer'], [['Bearer', {}, undefined]]],
  [
    ['Bearer realm="a", error="invalid_proof"'],
    [['Bearer', { realm: 'a', error: 'invalid_proof' }, undefined]],
  ],
  [['bearer error=invalid_token'], [['bearer', { error: 'invalid_token' }, undefined]]],
  [
    ['DPoP algs="ES256", Bearer error="use_session_binding"'],
    [
      ['DPoP', { algs: 'ES256' }, undefined],
      ['Bearer', { error: 'use_session_binding' }, undefined],
    ],
  ],
  [
    ['Basic', 'Bearer error="x"'],
    [
      ['Basic', {}, undefined],
      ['Bearer', { error: 'x' }, undefined],
    ],
  ],
  [['Negotiate a87421000492aa874209af8bc028=='], [['Negotiate', {}, 'a87421000492aa874209af8bc028==']]],
  [
    ['Bearer realm="with \\"quotes\\" and , comma"'],
    [['Bearer', { realm: 'with "quotes" and , comma' }, undefined]],
  ],
  [
    ['Basic, Bearer  realm = "spaced" ,, error="e"'],
    [
      ['Basic', {}, undefined],
      ['Bearer', { realm: 'spaced', error: 'e' }, undefined],
    ],
  ],
])('parses %j', (values, expected) => {
  expect(read(...values)).toEqual(expected);
});

test.each([
  ['Bearer error="a\r\n b"', /line break/],
  ['Bearer error="open', /does not end/],
  ['error="x"', /before any scheme/],
  ['Bearer error="a" error_description="b"', /commas/],
  ['Bearer error="a", error="b"', /error twice/],
  ['Bearer a=b, error=', /without a value/],
  ['"Bearer"', /unexpected character/],
])('refuses %j', (value, problem) => {
  expect(read(value)).toMatch(problem);
});
