/** DPoP proofs (RFC 9449 §4.2), right ones and ones wrong in one way. */
import { createHash, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { naturalAlgorithm } from './jws.ts';
import { forgeJwt } from './jwt.ts';
import type { JwtChange } from './jwt.ts';
import { privateKeyOf } from './keys.ts';
import { ath } from './read.ts';

/** A key that tokens are bound to by DPoP. */
export interface DpopKey {
  /** Whose key it is, in words, for evidence. */
  readonly name: string;
  readonly privateKey: KeyObject;
  /** The public key, as it stands in the header of a proof. */
  readonly jwk: JsonWebKey;
  /** `jkt`: unpadded base64url SHA-256 JWK thumbprint (RFC 7638, RFC 9449 §6.1). */
  readonly thumbprint: string;
  readonly algorithm: string;
}

/** What a DPoP proof is about. */
export interface DpopBasis {
  readonly key: DpopKey;
  /** The access token as it stands in the request. */
  readonly token: string;
  readonly htm: string;
  /** `https` URI of the request, without query and fragment. */
  readonly htu: string;
  /** The nonce that the server gave last, if it gave any. */
  readonly nonce?: string | undefined;
}

/** The members that a thumbprint is made from, by key type, in the order that RFC 7638 §3.2 and RFC 8037 §2 give. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

/**
 * Unpadded base64url SHA-256 thumbprint of a public JWK (RFC 7638 §3).
 *
 * @throws TypeError for a key type without such a thing
 */
export function jwkThumbprint(jwk: JsonWebKey): string {
  const members = MEMBERS[jwk.kty ?? ''];
  if (members === undefined) throw new TypeError(`no thumbprint is known for key type ${jwk.kty ?? 'none'}`);
  const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return createHash('sha256').update(canonical).digest('base64url');
}

/** A DPoP key out of a private key. */
export function dpopKey(name: string, privateKey: KeyObject, algorithm: string): DpopKey {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  return { name, privateKey, jwk, thumbprint: jwkThumbprint(jwk), algorithm };
}

/** A fresh DPoP key on P-256, for ES256. */
export function createDpopKey(name: string): DpopKey {
  return dpopKey(name, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'ES256');
}

/** A party's TLS key in the part of a DPoP key. */
export function dpopKeyOf(identity: Identity): DpopKey {
  const name = `${identity.name}'s TLS key`;
  return dpopKey(name, privateKeyOf(identity.privateKey), naturalAlgorithm(identity.keyType));
}

/**
 * Builds a DPoP proof for a request with an access token (RFC 9449 §4.2): header `typ`, `alg`, `jwk`; claims `jti`,
 * `htm`, `htu`, `iat`, `ath` and, where there is one, `nonce`. Right but for the change.
 */
export function forgeDpopProof({ key, token, htm, htu, nonce }: DpopBasis, change?: JwtChange): string {
  const iat = Math.floor(Date.now() / 1000);
  return forgeJwt(
    {
      header: { typ: 'dpop+jwt', alg: undefined, jwk: key.jwk },
      claims: { jti: randomUUID(), htm, htu, iat, ath: ath(token), ...(nonce !== undefined && { nonce }) },
      algorithm: key.algorithm,
      key: key.privateKey,
    },
    change,
  );
}
