import { expect, test } from 'vitest';
import { isRecord, text } from './defect.ts';

test.each([
  ['text, in quotation marks', 'a', '"a"'],
  ['a number', 7, '7'],
  ['an object', { a: [null] }, '{"a":[null]}'],
  ['nothing at all', undefined, 'missing'],
  ['null, which is not nothing', null, 'null'],
])('a value is told: %s', (_what, value, words) => {
  expect(text(value)).toBe(words);
});

test('a value is told whole up to 120 characters, and cut visibly when it is longer', () => {
  expect(text('x'.repeat(118))).toBe(`"${'x'.repeat(118)}"`);
  expect(text('x'.repeat(119))).toBe(`"${'x'.repeat(119)}…`);
});

test('only a JSON object is a record', () => {
  expect(isRecord({})).toBe(true);
  expect([undefined, null, [], ['a'], 'text', 7, true].filter((value) => isRecord(value))).toEqual([]);
});
