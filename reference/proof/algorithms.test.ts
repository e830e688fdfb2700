import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { algorithmsFor } from './algorithms.ts';

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const ec = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve });

test.each<[string, () => Pair, string[]]>([
  ['P-256', () => ec('P-256'), ['ES256']],
  ['P-384', () => ec('P-384'), ['ES384']],
  ['P-521', () => ec('P-521'), ['ES512']],
  ['secp256k1', () => ec('secp256k1'), []],
  ['Ed25519', () => generateKeyPairSync('ed25519'), ['Ed25519', 'EdDSA']],
  ['Ed448', () => generateKeyPairSync('ed448'), []],
  [
    'RSA',
    () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ['PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
  ],
  ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 }), []],
  ['RSA for PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }), ['PS256', 'PS384', 'PS512']],
  ['RSA for PSS of 1024 bits', () => generateKeyPairSync('rsa-pss', { modulusLength: 1024 }), []],
  ['X25519, which signs nothing', () => generateKeyPairSync('x25519'), []],
  [
    'RSA for PSS with SHA-384 only',
    () =>
      generateKeyPairSync('rsa-pss', {
        modulusLength: 2048,
        hashAlgorithm: 'sha384',
        mgf1HashAlgorithm: 'sha384',
      }),
    ['PS384'],
  ],
])('%s gets the algorithms that fit, and each signs what it verifies', (_what, generate, names) => {
  const { privateKey, publicKey } = generate();
  const algorithms = algorithmsFor(publicKey);
  expect(algorithms.map(({ name }) => name)).toEqual(names);
  const input = Buffer.from('input');
  for (const algorithm of algorithms) {
    const signature = algorithm.sign(privateKey, input);
    expect(algorithm.verify(publicKey, input, signature)).toBe(true);
    expect(algorithm.verify(publicKey, Buffer.from('other'), signature)).toBe(false);
    expect(algorithm.verify(publicKey, input, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false);
  }
});
