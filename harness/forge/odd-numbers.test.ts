import { describe, expect, test } from 'vitest';
import { oddlyGreater, oddlyLess, otherNotations } from './odd-numbers.ts';

const NOW = 1_764_558_215;

/** What the carelessness of each number's distance makes of it. */
const CONVERSIONS: Readonly<Record<string, (value: bigint) => bigint>> = {
  '2^29': (value) => BigInt.asIntN(32, value * 1000n),
  '2^31': (value) => BigInt.asUintN(31, value),
  '2^32': (value) => BigInt.asUintN(32, value),
  '2^55': (value) => BigInt.asIntN(64, value * 1_000_000_000n),
  '2^58': (value) => BigInt.asIntN(64, value * 1_000_000n),
  '2^61': (value) => BigInt.asIntN(64, value * 1000n),
  '2^63': (value) => BigInt.asUintN(63, value),
  '2^64': (value) => BigInt.asIntN(64, value),
};

describe('numbers at a distance', () => {
  const numbers = [...oddlyGreater(NOW), ...oddlyLess(NOW)].filter(({ what }) =>
    / (?:plus|minus) /.test(what),
  );

  test.each(numbers)('$literal, which $what, is converted to the right one', ({ what, literal }) => {
    const convert = CONVERSIONS[/2\^\d+/.exec(what)?.[0] ?? ''];
    expect(convert?.(BigInt(literal))).toBe(convert?.(BigInt(NOW)));
  });

  test('each distance is there in both directions', () => {
    expect(numbers).toHaveLength(2 * Object.keys(CONVERSIONS).length);
  });
});

const DAY = 86_400;

test.each(oddlyGreater(NOW))('$literal is a JSON number, and far ahead', ({ literal }) => {
  expect(JSON.parse(literal)).toBeGreaterThan(NOW + DAY);
});

test.each(oddlyLess(NOW))('$literal is a JSON number, and long ago', ({ literal }) => {
  expect(JSON.parse(literal)).toBeLessThan(NOW - DAY);
});

test.each(otherNotations(NOW))('%s is the same number', (literal) => {
  expect(JSON.parse(literal)).toBe(NOW);
});
