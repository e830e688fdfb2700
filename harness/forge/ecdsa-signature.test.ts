import { expect, test } from 'vitest';
import {
  derSignature,
  highS,
  jwsSignature,
  negatedS,
  ORDER,
  padded,
  scalars,
  SCALAR_LENGTH,
  zeroAndOrder,
  zeroSignature,
} from './ecdsa-signature.ts';
import type { Curve } from './ecdsa-signature.ts';

const CURVES = ['P-256', 'P-384', 'P-521'] as const;

/** A signature of these two scalars in the JWS form. */
function signature(r: bigint, s: bigint, length: number): Buffer {
  return Buffer.from([r, s].map((value) => value.toString(16).padStart(length * 2, '0')).join(''), 'hex');
}

test.each<[string, bigint, bigint, string]>([
  ['small scalars', 1n, 0x7fn, '3006020101 02017f'],
  ['a sign octet where the first bit is set', 0x80n, 0xffn, '3008020200800202 00ff'],
  ['an odd number of hexadecimal digits', 0x123n, 0xfedn, '3008020201230202 0fed'],
])('%s in DER', (_what, r, s, der) => {
  expect(derSignature(signature(r, s, 32)).toString('hex')).toBe(der.replace(' ', ''));
});

test('the length of a body takes one octet below 128, two from there', () => {
  const scalar = (octets: number) => BigInt(`0x7f${'11'.repeat(octets - 1)}`);
  const head = (first: number, second: number) =>
    derSignature(signature(scalar(first), scalar(second), 66))
      .subarray(0, 3)
      .toString('hex');
  expect(head(61, 62)).toBe('307f02');
  expect(head(62, 62)).toBe('308180');
  expect(head(66, 66)).toBe('308188');
});

test.each([
  [1n, 1n],
  [0x80n, 0x7fn],
  [2n ** 255n + 5n, 3n],
  [2n ** 256n - 1n, 2n ** 256n - 2n],
])('DER of %i and %i comes back as it was', (r, s) => {
  for (const length of [32, 66]) {
    const jws = signature(r, s, length);
    expect(jwsSignature(derSignature(jws), length)).toEqual(jws);
  }
});

test('scalars of full length come back from DER too', () => {
  const jws = signature(2n ** 520n + 7n, 2n ** 521n - 1n, 66);
  expect(scalars(jws)).toEqual([2n ** 520n + 7n, 2n ** 521n - 1n]);
  expect(jwsSignature(derSignature(jws), 66)).toEqual(jws);
});

test.each(CURVES)('on %s the high form has s above half the order, and is its own', (curve: Curve) => {
  const [order, length] = [ORDER[curve], SCALAR_LENGTH[curve]];
  const [low, high] = [signature(5n, order / 2n, length), signature(5n, order / 2n + 1n, length)];
  expect(highS(low, curve)).toEqual(high);
  expect(highS(high, curve)).toEqual(high);
  expect(negatedS(high, curve)).toEqual(low);
});

test.each(CURVES)('what is out of range on %s has the length of a signature', (curve: Curve) => {
  const length = SCALAR_LENGTH[curve];
  expect(zeroSignature(curve)).toEqual(Buffer.alloc(2 * length));
  expect(scalars(zeroAndOrder(curve))).toEqual([0n, ORDER[curve]]);
  expect(zeroAndOrder(curve)).toHaveLength(2 * length);
});

test('a padded signature has the same scalars in more octets', () => {
  const wide = padded(signature(5n, 6n, 32), 48);
  expect(wide).toHaveLength(96);
  expect(scalars(wide)).toEqual([5n, 6n]);
});
