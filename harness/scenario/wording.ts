import { shallow } from './shallow.ts';

const LONGEST = 160;

/** A JSON value in the words of a description. */
export function text(value: unknown): string {
  return cut(JSON.stringify(shallow(value)) ?? 'undefined');
}

/** A text that is not longer than this many characters, or its beginning and how long it is. */
export function cut(value: string, longest = LONGEST): string {
  return value.length <= longest ? value : `${value.slice(0, longest)}… (${value.length} characters)`;
}

/**
 * A NumericDate as it lies to now, with so little precision that two requests of one scenario agree.
 *
 * @param now seconds since 1970
 */
export function time(value: unknown, now: number): string {
  if (typeof value !== 'number' || !Number.isInteger(value)) return text(value);
  const offset = value - now;
  if (Math.abs(offset) <= 4) return 'now';
  const rounded = Math.round(offset / 10) * 10;
  return Math.abs(offset) < 10
    ? `now ${offset < 0 ? '−' : '+'} a few s`
    : `now ${rounded < 0 ? '−' : '+'} ${Math.abs(rounded)} s`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
