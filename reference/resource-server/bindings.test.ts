import { expect, test } from 'vitest';
import { createBindingCache } from './bindings.ts';

test('a binding belongs to one connection object and one token hash', () => {
  const cache = createBindingCache();
  const [one, two] = [{}, {}];
  cache.set(one, 'ath', 'proof');
  expect(cache.get(one, 'ath')).toBe('proof');
  expect(cache.get(two, 'ath')).toBeUndefined();
  expect(cache.get(one, 'at')).toBeUndefined();
});

test('the oldest binding of a connection goes first', () => {
  const cache = createBindingCache(2);
  const connection = {};
  for (const each of ['a', 'b', 'c']) cache.set(connection, each, each);
  expect(['a', 'b', 'c'].map((each) => cache.get(connection, each))).toEqual([undefined, 'b', 'c']);
});
