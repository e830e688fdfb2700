import { randomUUID } from 'node:crypto';

/** Identifiers that a careless store does not remember, or confuses with others. */

/** An identifier that is presented once, and then again. */
export interface SingleIdentifier {
  readonly what: string;
  readonly jti: () => string;
  /** Whether it is so ordinary a string that it must be served at first; others may be rejected, but not served twice. */
  readonly ordinary: boolean;
  /** What it means when it is served twice, or rejected at first sight. */
  readonly cause: string;
  /** Left to the full profile. */
  readonly fullOnly?: boolean;
  /** Presented with a token for which another identifier has been used before. */
  readonly second?: boolean;
}

const PLAIN_OBJECT =
  'Identifiers are kept as members of a plain object, which has some names from the start and does not store others. Use a Map or Set, or an object without a prototype.';
const FALSY =
  'Whether a proof has a jti is asked by its truth value, so one that counts as false is taken for none. Ask whether the claim is there.';
const PATTERN =
  'The identifier is used as a search pattern, or as part of one, when the store is asked for it. Compare it as a plain value.';
const C_STRING =
  'Identifiers are kept as strings that end at the first NUL. Keep them with their length, or store their hash.';
const RECODED =
  'Identifiers are stored in another encoding than they are looked up in, so characters outside ASCII are not found again. Store a hash of their UTF-8.';
const TOO_LONG =
  'An identifier above a certain length is not stored, or its storing fails unnoticed, and the proof is accepted all the same. Store its SHA-256, or reject what cannot be stored.';

function ordinary(jti: string, cause: string, fullOnly = false): SingleIdentifier {
  return { what: `the jti "${jti}"`, jti: () => jti, ordinary: true, cause, fullOnly };
}

function pattern(jti: string, fullOnly = false): SingleIdentifier {
  return { ...ordinary(jti, PATTERN, fullOnly), second: true };
}

function odd(what: string, jti: () => string, cause: string, fullOnly = false): SingleIdentifier {
  return { what, jti, ordinary: false, cause, fullOnly };
}

export const SINGLE: readonly SingleIdentifier[] = [
  ordinary('constructor', PLAIN_OBJECT),
  ordinary('__proto__', PLAIN_OBJECT),
  ordinary('toString', PLAIN_OBJECT, true),
  ordinary('hasOwnProperty', PLAIN_OBJECT, true),
  ordinary('valueOf', PLAIN_OBJECT, true),
  ordinary('prototype', PLAIN_OBJECT, true),
  ordinary('length', PLAIN_OBJECT, true),
  ordinary('0', FALSY),
  ordinary('null', FALSY, true),
  ordinary('undefined', FALSY, true),
  ordinary('false', FALSY, true),
  pattern('%'),
  pattern('*', true),
  pattern('.', true),
  pattern("' OR '1'='1", true),
  odd('an empty jti', () => '', FALSY),
  odd('a jti of one space', () => ' ', FALSY, true),
  odd('a jti that begins with NUL', () => `\0${randomUUID()}`, C_STRING),
  odd('a jti of letters outside ASCII', () => `é漢🔑${randomUUID()}`, RECODED),
  odd('a jti with half of a surrogate pair', () => `${randomUUID()}\ud83d`, RECODED, true),
  odd('a jti with a line break', () => `${randomUUID()}\r\n`, RECODED, true),
];

/** Lengths of identifiers, in characters, above which stores are known to give up. */
export const LENGTHS = [4096, 2048, 1024, 512, 256, 128, 65] as const;

export function long(length: number): { readonly jti: string; readonly cause: string } {
  return { jti: `${randomUUID()}${'j'.repeat(length - 36)}`, cause: TOO_LONG };
}

/** Two identifiers that differ, and that both must be served for one token. */
export interface IdentifierPair {
  /** How the second differs from the first. */
  readonly what: string;
  readonly pair: () => readonly [first: string, second: string];
  readonly cause: string;
  readonly fullOnly?: boolean;
}

const CASE_FOLDED =
  'Identifiers are compared without regard to letter case, as by a column or a cache whose collation folds it. jti is a case-sensitive string (RFC 7519 §4.1.7): compare its octets.';
const TRIMMED =
  'Identifiers are trimmed, or compared as columns padded with spaces are. Compare every octet.';
const NORMALIZED =
  'Identifiers are normalized, or compared by a collation that ignores accents. Strings are compared code point for code point (RFC 7519 §7.3).';
const NUMERIC =
  'Identifiers that look like numbers are converted to numbers before they are compared. Keep them as strings.';
const CUT_OFF =
  'Only a part of the identifier is stored or compared, so that different ones count as the same. Compare it whole, or a cryptographic hash of the whole.';
const WEAK_HASH =
  'Identifiers are told apart by a short hash that is not collision-resistant. Use the whole string or its SHA-256.';

/** Characters that no store of identifiers should reach beyond: longer than {@link LENGTHS} is refused by many parsers. */
const LONG = 1024;

function pairOf(
  what: string,
  made: (id: string) => readonly [string, string],
  cause: string,
  fullOnly = false,
): IdentifierPair {
  return { what, pair: () => made(randomUUID()), cause, fullOnly };
}

/** A whole number beyond 2^53, so that it and the next one are the same as a floating-point number. */
function bigNumber(id: string): string {
  const digits = id.replaceAll(/[a-f-]/g, (letter) => String(letter.charCodeAt(0) % 10));
  return `9${digits}`.slice(0, 20);
}

export const PAIRS: readonly IdentifierPair[] = [
  pairOf('in the case of its letters', (id) => [`${id}-xyz`, `${id}-XYZ`], CASE_FOLDED),
  pairOf('in a space at its end', (id) => [id, `${id} `], TRIMMED),
  pairOf('in a space at its beginning', (id) => [id, ` ${id}`], TRIMMED, true),
  pairOf('in its Unicode normalization form', (id) => [`${id}\u00e9`, `${id}e\u0301`], NORMALIZED),
  pairOf('in an accent', (id) => [`${id}e`, `${id}\u00e9`], NORMALIZED, true),
  pairOf('in compatibility characters', (id) => [`${id}K`, `${id}\u212a`], NORMALIZED, true),
  pairOf('in zeros before a number', (id) => [bigNumber(id), `0${bigNumber(id)}`], NUMERIC),
  pairOf('in the last digit of a long number', (id) => [`${bigNumber(id)}1`, `${bigNumber(id)}2`], NUMERIC),
  pairOf('in what follows a NUL', (id) => [`${id}\0a`, `${id}\0b`], C_STRING),
  pairOf('in the last of 36 characters', (id) => [`${id.slice(1)}A`, `${id.slice(1)}B`], CUT_OFF, true),
  pairOf('in the last of 1024 characters', (id) => [`${filled(id)}A`, `${filled(id)}B`], CUT_OFF),
  pairOf('in the first of 1024 characters', (id) => [`A${filled(id)}`, `B${filled(id)}`], CUT_OFF),
  pairOf('in the middle of 1024 characters', (id) => [middle(id, 'A'), middle(id, 'B')], CUT_OFF, true),
  pairOf('in characters with the same 31-multiplier hash', (id) => [`${id}Aa`, `${id}BB`], WEAK_HASH),
  pairOf('in the order of its characters', (id) => [`${id}xy`, `${id}yx`], WEAK_HASH, true),
];

function filled(id: string): string {
  return `${id}${'j'.repeat(LONG - 1 - 2 * id.length)}${id}`;
}

function middle(id: string, letter: string): string {
  const half = `${id}${'j'.repeat(LONG / 2 - 1 - id.length)}`;
  return `${half}${letter}${letter}${half}`;
}
