import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ath } from './read.ts';
import { WRONG_TOKEN_HASHES } from './wrong-token-hashes.ts';

const TOKEN = `eyJ.${Buffer.from('{"sub":"alice"}').toString('base64url')}.sig`;

/** The base64url SHA-256 of a text. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

const right = createHash('sha256').update(TOKEN).digest();

test.each<[string, string]>([
  ['signing-input', hashOf(TOKEN.slice(0, TOKEN.lastIndexOf('.')))],
  ['payload', hashOf(Buffer.from('{"sub":"alice"}').toString('base64url'))],
  ['decoded-payload', hashOf('{"sub":"alice"}')],
  ['with-scheme', hashOf(`Bearer ${TOKEN}`)],
  ['with-newline', hashOf(`${TOKEN}\n`)],
  ['left-half', right.subarray(0, 16).toString('base64url')],
  ['hex', right.toString('hex')],
  ['base64', right.toString('base64')],
  ['sha384', createHash('sha384').update(TOKEN).digest('base64url')],
  ['sha512', createHash('sha512').update(TOKEN).digest('base64url')],
  ['of-hash', createHash('sha256').update(right).digest('base64url')],
])('%s is computed as its name says', (id, value) => {
  expect(WRONG_TOKEN_HASHES.find((each) => each.id === id)?.value(TOKEN)).toBe(value);
});

test('of a JWT every known mistake is another one, and wrong', () => {
  const values = new Set(WRONG_TOKEN_HASHES.map((each) => each.value(TOKEN)));
  expect(values.size).toBe(WRONG_TOKEN_HASHES.length);
  expect(values).not.toContain(ath(TOKEN));
});

test('of an opaque token the signing input is all of it, and its payload is nothing', () => {
  const value = (id: string) => WRONG_TOKEN_HASHES.find((each) => each.id === id)?.value('opaque');
  expect(value('signing-input')).toBe(ath('opaque'));
  expect(value('payload')).toBe(hashOf(''));
  expect(value('decoded-payload')).toBe(hashOf(''));
});
