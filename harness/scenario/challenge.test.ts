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
  [
    ['Negotiate abc== , Basic'],
    [
      ['Negotiate', {}, 'abc=='],
      ['Basic', {}, undefined],
    ],
  ],
  [['Bearer AbC'], [['Bearer', {}, 'AbC']]],
  [['Bearer ,\terror="x"'], [['Bearer', { error: 'x' }, undefined]]],
  [['Bearer ERROR=a, Realm="\t\xe4"'], [['Bearer', { error: 'a', realm: '\t\xe4' }, undefined]]],
  [['Bearer realm="", scope=""'], [['Bearer', { realm: '', scope: '' }, undefined]]],
  [['', ' ', ',', ' , ,'], []],
  [[], []],
])('parses %j', (values, expected) => {
  expect(read(...values)).toEqual(expected);
});

test.each([
  ['Bearer error="a\r\n b"', 'a control character or line break within a quoted string'],
  ['Bearer error="a\x00"', 'a control character or line break within a quoted string'],
  ['Bearer error="a\x7f"', 'a control character or line break within a quoted string'],
  ['Bearer error="open', 'a quoted string that does not end'],
  ['Bearer error="open\\', 'a quoted string that does not end'],
  ['Bearer error="open\\"', 'a quoted string that does not end'],
  ['error="x"', 'a parameter before any scheme'],
  ['Bearer error="a" error_description="b"', 'parameters that are not separated by commas'],
  ['Bearer error=a realm=b', 'parameters that are not separated by commas'],
  ['Basic Bearer error="x"', 'schemes that are not separated by commas'],
  ['Bearer abc def', 'schemes that are not separated by commas'],
  ['Bearer error="a", Error="b"', 'the parameter error twice in one challenge'],
  ['Bearer a=b, error=', 'a parameter without a value'],
  ['"Bearer"', 'an unexpected character at 1'],
  ['Basic/abc', 'an unexpected character at 6'],
  ['Basic, @', 'an unexpected character at 8'],
])('refuses %j', (value, problem) => {
  expect(read(value)).toBe(`${problem}, in: ${value}`);
});

test('what is wrong with one field is told, whatever the others are', () => {
  expect(read('Basic', '"Bearer"', 'Bearer')).toMatch(/^an unexpected character/);
});
