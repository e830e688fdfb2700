/**
 * JSON numbers that are not the number of seconds that is meant, and become it where they are converted carelessly. As
 * JSON text, since no serializer writes most of them.
 */

/** How a reader goes wrong who takes such a number for the one that is meant. */
export type Misreading =
  /** Keeps the lowest 32 bits of it, or of it times a thousand. */
  | '32 bits'
  /** Keeps the lowest 64 bits of it, or of its product in a smaller unit. */
  | '64 bits'
  /** Subtracts the smallest integer of a type, which has no opposite in it. */
  | 'overflow'
  /** Guesses a unit from the size. */
  | 'unit'
  /** Reads digits up to the first other character. */
  | 'digits'
  /** Goes on with what is no longer finite. */
  | 'infinite'
  /** Takes zero for not given. */
  | 'zero';

export interface OddNumber {
  /** In words, after the name of the member: `is the right time plus 2^32`. */
  readonly what: string;
  /** The JSON number (RFC 8259 §6). */
  readonly literal: string;
  readonly misreading: Misreading;
  /** Whether it stands for others: enough of them to find each misreading. */
  readonly telling: boolean;
}

/**
 * Distances after which an integer type, or seconds in a smaller unit in it, begin again: 1000 is 2^3 times an odd number,
 * so milliseconds in 32 bits are the same after 2^29 seconds, and in 64 bits after 2^61; micro- and nanoseconds after 2^58 and 2^55.
 */
const DISTANCES: readonly (readonly [exponent: bigint, misreading: Misreading, telling: boolean])[] = [
  [29n, '32 bits', true],
  [31n, '32 bits', false],
  [32n, '32 bits', true],
  [55n, '64 bits', true],
  [58n, '64 bits', false],
  [61n, '64 bits', false],
  [63n, '64 bits', false],
  [64n, '64 bits', true],
];

function apart(seconds: number, sign: 1n | -1n): readonly OddNumber[] {
  return DISTANCES.map(([exponent, misreading, telling]) => ({
    what: `is the right time ${sign > 0 ? 'plus' : 'minus'} 2^${exponent}`,
    literal: String(BigInt(seconds) + sign * 2n ** exponent),
    misreading,
    telling,
  }));
}

function odd(what: string, literal: string | bigint, misreading: Misreading, telling = false): OddNumber {
  return { what, literal: String(literal), misreading, telling };
}

/** Numbers far greater than this number of seconds, which has to be a whole one. */
export function oddlyGreater(seconds: number): readonly OddNumber[] {
  return [
    ...apart(seconds, 1n),
    odd('is in milliseconds', `${seconds}000`, 'unit', true),
    odd('is in milliseconds, with a fraction', `${seconds}250.5`, 'unit'),
    odd('is in microseconds', `${seconds}000000`, 'unit'),
    odd('is in nanoseconds', `${seconds}000000000`, 'unit'),
    odd('has the right digits, and an exponent of 3', `${seconds}e3`, 'digits'),
    odd('has the right digits, and an exponent of 400', `${seconds}e400`, 'digits', true),
    odd('is 2^53 + 1', 2n ** 53n + 1n, 'overflow'),
    odd('is 2^63 − 1', 2n ** 63n - 1n, 'overflow'),
    odd('is 2^64 − 1', 2n ** 64n - 1n, 'overflow'),
    odd('is 1e400', '1e400', 'infinite', true),
  ];
}

/** Numbers far less than this number of seconds, which has to be a whole one. */
export function oddlyLess(seconds: number): readonly OddNumber[] {
  return [
    ...apart(seconds, -1n),
    odd('has the right digits, and an exponent of −3', `${seconds}e-3`, 'digits', true),
    odd('is −2^31', -(2n ** 31n), 'overflow'),
    odd('is −2^63', -(2n ** 63n), 'overflow', true),
    odd('is −1e400', '-1e400', 'infinite', true),
    odd('is 0', '0', 'zero', true),
    odd('is −0', '-0', 'zero'),
    odd('is 1e-400', '1e-400', 'zero'),
  ];
}

/** The same number of seconds in other JSON notations. */
export function otherNotations(seconds: number): readonly string[] {
  const digits = String(seconds);
  return [
    `${digits}.0`,
    `${digits}e0`,
    `${digits}0e-1`,
    `${digits.slice(0, 1)}.${digits.slice(1)}e${digits.length - 1}`,
    `${digits.slice(0, 1)}.${digits.slice(1)}E+${digits.length - 1}`,
    `${digits}.000000000000000000001`,
  ];
}
