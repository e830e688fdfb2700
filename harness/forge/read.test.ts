import { assert, property, uint8Array } from 'fast-check';
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { readJwt, signatureVerifies } from './read.ts';

const part = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

test.each([
  ['', '1 of 3 parts'],
  ['a.b', '2 of 3 parts'],
  ['.'.repeat(1000), 'more than 8 parts'],
  [`${part('{}')}.${part('{}')}.`, 'the signature is empty'],
  [`${part('x')}.${part('{}')}.AA`, 'the header is not JSON'],
  [`${part('{}')}.${part('[]')}.AA`, 'the payload is not a JSON object'],
  [`${part('{}')}.${part('{}')}=.AA`, 'the payload is not canonical base64url'],
  [`${part('{}')}.${part(Buffer.from([0xff]))}.AA`, 'the payload is not UTF-8'],
])('says what is wrong with %j', (compact, problem) => {
  expect(readJwt(compact).problem).toBe(problem);
});

test('reads whatever it is given', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  assert(
    property(uint8Array({ maxLength: 64 }), (octets) => {
      const text = Buffer.from(octets).toString('latin1');
      expect(readJwt(text).parts.length).toBeGreaterThan(0);
      expect(signatureVerifies(text, publicKey)).toBe(false);
    }),
    { numRuns: 200 },
  );
});
