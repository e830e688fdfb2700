import { createPrivateKey, generateKeyPair } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType } from './identity.ts';

/** Key types that a certificate can be issued for: those of rightful clients, and further ones for scenarios. */
export type IssuableKeyType = KeyType | 'RSA-1024' | 'RSA-PSS' | 'Ed448';

const CURVES: Readonly<Record<string, IssuableKeyType>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const generate = promisify(generateKeyPair);

const GENERATORS: Readonly<Record<IssuableKeyType, () => Promise<{ readonly privateKey: KeyObject }>>> = {
  'P-256': () => generate('ec', { namedCurve: 'P-256' }),
  'P-384': () => generate('ec', { namedCurve: 'P-384' }),
  'P-521': () => generate('ec', { namedCurve: 'P-521' }),
  RSA: () => generate('rsa', { modulusLength: 2048 }),
  'RSA-1024': () => generate('rsa', { modulusLength: 1024 }),
  'RSA-PSS': () => generate('rsa-pss', { modulusLength: 2048 }),
  Ed25519: () => generate('ed25519'),
  Ed448: () => generate('ed448'),
};

/** Generates a private key off the main thread. RSA keys have 2048 bits unless their type says otherwise. */
export async function generatePrivateKey(keyType: IssuableKeyType): Promise<KeyObject> {
  return (await GENERATORS[keyType]()).privateKey;
}

/**
 * The key type of a private key, as {@link import('./identity.ts').Identity.keyType} names it;
 * `undefined` for a key that the suite issues no certificates for.
 */
function keyTypeOf(key: KeyObject): IssuableKeyType | undefined {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec':
      return CURVES[details?.namedCurve ?? ''];
    case 'rsa':
      return details?.modulusLength === 1024 ? 'RSA-1024' : 'RSA';
    case 'rsa-pss':
      return 'RSA-PSS';
    case 'ed25519':
      return 'Ed25519';
    case 'ed448':
      return 'Ed448';
    default:
      return undefined;
  }
}

/** PKCS#8 PEM, ending in a newline. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Reads a private key and checks that it is of the type that was asked for.
 * @throws TypeError where it is of another type.
 */
export function readPrivateKey(pem: string, expected: IssuableKeyType): KeyObject {
  const key = createPrivateKey(pem);
  const actual = keyTypeOf(key);
  if (actual !== expected) {
    throw new TypeError(`key: a ${actual ?? 'foreign'} key was given where keyType says ${expected}`);
  }
  return key;
}
