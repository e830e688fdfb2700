import { expect, test } from 'vitest';
import { createIdentifierStore } from './identifiers.ts';

test('an identifier is new once for a token, and again for another token', () => {
  const store = createIdentifierStore();
  expect(store.claim('token', 'one', 100, 0)).toBe(true);
  expect(store.claim('token', 'one', 100, 50)).toBe(false);
  expect(store.claim('token', 'two', 100, 50)).toBe(true);
  expect(store.claim('other', 'one', 100, 50)).toBe(true);
});

test('a full store refuses rather than forgets', () => {
  const perToken = createIdentifierStore(2, 10);
  expect(['a', 'b', 'c'].map((jti) => perToken.claim('token', jti, 100, 0))).toEqual([true, true, false]);
  expect(perToken.claim('token', 'a', 100, 0)).toBe(false);
  const tokens = createIdentifierStore(10, 2);
  expect(['a', 'b', 'c'].map((token) => tokens.claim(token, 'x', 100, 0))).toEqual([true, true, false]);
});

test('identifiers of expired tokens make room', () => {
  const store = createIdentifierStore(10, 2);
  store.claim('a', 'x', 100, 0);
  store.claim('b', 'x', undefined, 0);
  expect(store.claim('c', 'x', 300, 100)).toBe(true);
  expect(store.claim('d', 'x', 300, 100)).toBe(false);
});

test('all tokens together are bounded, and expired ones make room in a store that still takes tokens', () => {
  const store = createIdentifierStore(10, 10, 3);
  for (const jti of ['x', 'y', 'z']) expect(store.claim('a', jti, 100, 0)).toBe(true);
  expect(store.claim('b', 'x', 300, 50)).toBe(false);
  expect(store.claim('a', 'x', 100, 50)).toBe(false);
  expect(store.claim('b', 'x', 300, 100)).toBe(true);
});
