import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';

/** What a JWS can be signed with: a party's key, any private key, or the octets of a shared secret. */
export type SigningKey = Identity | KeyObject | Uint8Array;

// Parsing a key costs more than signing with it; a run uses a few dozen keys.
const parsed = new Map<string, KeyObject>();

/** The private key of a PKCS#8 PEM text, parsed once per process. */
export function privateKeyOf(pem: string): KeyObject {
  let key = parsed.get(pem);
  if (key === undefined) {
    key = createPrivateKey(pem);
    parsed.set(pem, key);
  }
  return key;
}

/** A party's public key. */
export function publicKeyOf(identity: Pick<Identity, 'privateKey'>): KeyObject {
  return createPublicKey(privateKeyOf(identity.privateKey));
}

/** The key object, or octets, behind any signing key. */
export function keyMaterial(key: SigningKey): KeyObject | Uint8Array {
  return 'privateKey' in key ? privateKeyOf(key.privateKey) : key;
}
