import { describe, expect, test } from 'vitest';
import { issuer, pki } from '../scenario/target.fixture.ts';
import { privateKeyOf, publicKeyOf } from './keys.ts';
import { naturalAlgorithm } from './jws.ts';
import {
  HASH_SHAPES,
  ordinary,
  sameAsCString,
  shapedSignature,
  signatureShapes,
  tokenWithHash,
} from './odd-values.ts';
import { forgeProof } from './proof.ts';
import { ath, signatureVerifies } from './read.ts';
import { isOddHash } from '../../certs/odd-hash.ts';
import { forgeToken } from './token.ts';

describe.each(['P-256', 'P-384', 'P-521', 'RSA'] as const)('a signature by %s', (keyType) => {
  const identity = pki.alice[keyType];
  const algorithm = keyType === 'RSA' ? 'PS256' : naturalAlgorithm(keyType);
  test.each(signatureShapes(keyType).map((shape) => [shape.what, shape] as const))(
    '%s, and is valid',
    (_what, shape) => {
      const signature = shapedSignature(identity, algorithm, shape);
      const proof = forgeProof({ token: 't', ekm: Buffer.alloc(32), identity }, { algorithm, signature });
      expect(shape.fits(Buffer.from(proof.split('.')[2] ?? '', 'base64url'))).toBe(true);
      expect(signatureVerifies(proof, publicKeyOf(identity))).toBe(true);
    },
  );
});

test('Ed25519 has no shapes that anybody stumbles over', () => {
  expect(signatureShapes('Ed25519')).toEqual([]);
});

test.each(Object.entries(HASH_SHAPES))('a token is made whose hash is %s', (_name, shape) => {
  const token = forgeToken(issuer, {
    boundTo: null,
    ...tokenWithHash(privateKeyOf(issuer.privateKey), shape),
  });
  expect(shape.fits(Buffer.from(token.sha256, 'base64url'))).toBe(true);
});

test('what never fits is reported', () => {
  const never = { what: 'is odd', fits: () => false };
  const signature = shapedSignature(pki.alice.Ed25519, 'EdDSA', never);
  expect(() => signature(Buffer.alloc(0), Buffer.alloc(0))).toThrow(
    'EdDSA made no signature that is odd in 8192 attempts',
  );
});

test.each([
  [
    [1, 0, 5, 6],
    [1, 0, 0xfa, 0xf9],
  ],
  [
    [1, 2, 3],
    [1, 2, 3],
  ],
])('%j is the same to C as %j', (octets, other) => {
  expect(sameAsCString(Buffer.from(octets).toString('base64url'))).toBe(
    Buffer.from(other).toString('base64url'),
  );
});

test('an ordinary token is the first whose hash has no rare shape', () => {
  let count = 0;
  const made = Array.from({ length: 40 }, () => ordinary(() => `t${count++}`));
  expect(made.length).toBeLessThan(count);
  expect(made.filter((token) => isOddHash(ath(token)))).toEqual([]);
});
