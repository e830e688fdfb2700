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

test('cuts at sixteen levels, with a remark', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`);
  expect(shallow(nested(16))).toEqual(nested(16));
  expect(JSON.stringify(shallow(nested(17)))).toBe(`${'['.repeat(16)}"… (nested deeper)"${']'.repeat(16)}`);
  expect(shallow({ a: { b: { c: 1 } } }, 2)).toEqual({ a: { b: '… (nested deeper)' } });
  expect(shallow('text', 0)).toBe('text');
  expect(shallow(null, 0)).toBeNull();
});
