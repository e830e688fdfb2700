import { expect, test } from 'vitest';
import { patience } from './patience.ts';

test.each([
  [0, 2, 3000],
  [1.9, 2, 3000],
  [2, 2, 3000],
  [3, 2, 4500],
  [16, 2, 24_000],
  [500, 2, 30_000],
  [8, 16, 3000],
])('a load of %d on %d processors', (load, processors, expected) => {
  expect(patience(3000, load, processors)).toBe(expected);
});

test('this machine’s own load counts by default', () => {
  expect(patience(1000)).toBeGreaterThanOrEqual(1000);
  expect(patience(1000)).toBeLessThanOrEqual(10_000);
});
