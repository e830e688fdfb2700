import { expect, test } from 'vitest';
import { isOddHash } from './odd-hash.ts';

test.each<[string, boolean]>([
  [Buffer.alloc(32, 7).toString('base64url'), false],
  [Buffer.alloc(32, 0xfb).toString('base64url'), true],
  [Buffer.alloc(32, 0xff).toString('base64url'), true],
  [`A${'-_'.repeat(21)}`, false],
  [Buffer.concat([Buffer.alloc(31, 7), Buffer.alloc(1)]).toString('base64url'), true],
])('%s is odd: %s', (text, odd) => {
  expect(isOddHash(text)).toBe(odd);
});
