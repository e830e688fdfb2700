import { expect, test } from 'vitest';
import { Checks } from './checks.ts';

const checks = new Checks([
  { name: 'one', section: '1', run: 1 },
  { name: 'two', section: '2', run: 2 },
]);

test('variants leave the list they come from as it was', () => {
  expect(checks.with('two', 3).entries.map(({ run }) => run)).toEqual([1, 3]);
  expect([...checks.without('one')].map(({ name }) => name)).toEqual(['two']);
  expect([...checks].map(({ run }) => run)).toEqual([1, 2]);
});

test('a name that is not there, or there twice, is a mistake', () => {
  expect(() => checks.without('one').with('one', 1)).toThrow(new TypeError('no check is named one'));
  expect(() => new Checks([...checks, ...checks])).toThrow(new TypeError('two checks have the same name'));
});
