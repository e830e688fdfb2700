import { expect, test } from 'vitest';
import { shallow } from './shallow.ts';

test('leaves data of ordinary depth as it is', () => {
  const data = { a: [1, 'two', null, { b: false }], c: {} };
  expect(shallow(data)).toStrictEqual(data);
});

test('cuts what is nested so deep that serializing it would fail', () => {
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  expect(JSON.stringify(shallow({ x: deep })).length).toBeLessThan(100);
});

test('keeps a member named like the prototype as a member', () => {
  expect(JSON.stringify(shallow(JSON.parse('{"__proto__":{"a":1}}')))).toBe('{"__proto__":{"a":1}}');
});
