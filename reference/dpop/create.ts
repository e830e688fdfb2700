import { createPublicKey, hash, type JsonWebKey, type KeyObject } from 'node:crypto';
import { algorithmsFor } from '../proof/algorithms.ts';
import { accessTokenHash, encodeBase64url } from '../proof/encoding.ts';
import { HEADER } from '../proof/vocabulary.ts';
import { DPOP_CLAIM, DPOP_TYPE } from './vocabulary.ts';

/** A key that tokens are bound to by DPoP. */
export interface DpopSigner {
  readonly key: KeyObject;
  /** The public key as a JWK. */
  readonly jwk: JsonWebKey;
  /** RFC 7638 SHA-256 thumbprint of it: the value of `cnf.jkt`. */
  readonly thumbprint: string;
}

/** What a DPoP proof says. */
export interface DpopContent {
  /** The access token exactly as it will be presented. */
  readonly token: string;
  /** Unique for the token's lifetime. */
  readonly identifier: string;
  readonly method: string;
  /** Target URI without query and fragment. */
  readonly target: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly issuedAt: number;
  /** The nonce that the server gave last. */
  readonly nonce?: string | undefined;
}

/** The members of a thumbprint, in its order (RFC 7638 §3.2, RFC 8037 §2). */
const THUMBPRINT_MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
};

/**
 * A private key with what DPoP wants to know of it.
 *
 * @throws TypeError where no proof can be signed with such a key
 */
export function dpopSignerOf(key: KeyObject): DpopSigner {
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  const members = THUMBPRINT_MEMBERS[jwk.kty ?? ''];
  if (members === undefined || algorithmsFor(key).length === 0) {
    throw new TypeError(`no DPoP proof can be signed with a key of type ${key.asymmetricKeyType}`);
  }
  const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
  return { key, jwk, thumbprint: hash('sha256', canonical, 'base64url') };
}

/**
 * Makes a DPoP proof for a request with an access token.
 *
 * @returns the proof in JWS compact serialization
 * @throws TypeError where no algorithm fits the key
 *
 * Source: RFC 9449 §4.2.
 */
export function createDpopProof({ key, jwk }: DpopSigner, content: DpopContent): string {
  const [algorithm] = algorithmsFor(key);
  if (algorithm === undefined) throw new TypeError('no algorithm fits the DPoP key');
  const header = { [HEADER.type]: DPOP_TYPE, [HEADER.algorithm]: algorithm.name, jwk };
  const claims = {
    [DPOP_CLAIM.identifier]: content.identifier,
    [DPOP_CLAIM.method]: content.method,
    [DPOP_CLAIM.target]: content.target,
    [DPOP_CLAIM.issuedAt]: content.issuedAt,
    [DPOP_CLAIM.tokenHash]: accessTokenHash(content.token),
    ...(content.nonce !== undefined && { [DPOP_CLAIM.nonce]: content.nonce }),
  };
  const input = `${encodeBase64url(JSON.stringify(header))}.${encodeBase64url(JSON.stringify(claims))}`;
  return `${input}.${encodeBase64url(algorithm.sign(key, Buffer.from(input)))}`;
}
