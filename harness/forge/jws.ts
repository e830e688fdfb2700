import { constants, createHmac, sign as asymmetricSign } from 'node:crypto';
import type { KeyObject, SignKeyObjectInput } from 'node:crypto';
import { jwsSignature, SCALAR_LENGTH } from './ecdsa-signature.ts';

/** Makes the octets of a signature over a signing input. */
export type Sign = (signingInput: Buffer) => Buffer;

/** A part of a JWS before base64url: an object becomes JSON, text becomes UTF-8, octets stay. */
export type Part = object | string | Uint8Array;

interface Scheme {
  readonly kind: 'asymmetric' | 'hmac';
  readonly hash: string;
  readonly pss?: true;
}

/** Octets of `r` and of `s`, by Node's names for the curves. */
const SCALARS: Readonly<Record<string, number>> = {
  prime256v1: SCALAR_LENGTH['P-256'],
  secp384r1: SCALAR_LENGTH['P-384'],
  secp521r1: SCALAR_LENGTH['P-521'],
};

const SCHEMES: Readonly<Record<string, Scheme>> = {
  ES256: { kind: 'asymmetric', hash: 'sha256' },
  ES256K: { kind: 'asymmetric', hash: 'sha256' },
  ES384: { kind: 'asymmetric', hash: 'sha384' },
  ES512: { kind: 'asymmetric', hash: 'sha512' },
  RS256: { kind: 'asymmetric', hash: 'sha256' },
  RS384: { kind: 'asymmetric', hash: 'sha384' },
  RS512: { kind: 'asymmetric', hash: 'sha512' },
  PS256: { kind: 'asymmetric', hash: 'sha256', pss: true },
  PS384: { kind: 'asymmetric', hash: 'sha384', pss: true },
  PS512: { kind: 'asymmetric', hash: 'sha512', pss: true },
  EdDSA: { kind: 'asymmetric', hash: 'sha512' },
  Ed25519: { kind: 'asymmetric', hash: 'sha512' },
  HS256: { kind: 'hmac', hash: 'sha256' },
  HS384: { kind: 'hmac', hash: 'sha384' },
  HS512: { kind: 'hmac', hash: 'sha512' },
};

const NATURAL: Readonly<Record<string, string>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  RSA: 'RS256',
  'RSA-1024': 'RS256',
  'RSA-PSS': 'PS256',
  Ed25519: 'EdDSA',
  Ed448: 'EdDSA',
};

/**
 * The JWS algorithm that goes without saying for a key type (RFC 7518 §3.1, RFC 8037 §3.1).
 * @throws TypeError for a key type that the suite does not know.
 */
export function naturalAlgorithm(keyType: string): string {
  const algorithm = NATURAL[keyType];
  if (algorithm === undefined) throw new TypeError(`no JWS algorithm is known for key type ${keyType}`);
  return algorithm;
}

/** JWS compact serialization (RFC 7515 §7.1) of parts that may be anything at all. */
export function signJws(jws: { readonly header: Part; readonly payload: Part; readonly sign: Sign }): string {
  const signingInput = `${encodePart(jws.header)}.${encodePart(jws.payload)}`;
  return `${signingInput}.${jws.sign(Buffer.from(signingInput)).toString('base64url')}`;
}

/** base64url of a part, without padding. */
export function encodePart(part: Part): string {
  if (part instanceof Uint8Array) {
    return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64url');
  }
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/**
 * How to sign with an algorithm and a key. The algorithm gives hash and padding, the key's kind the rest, so that
 * algorithms which do not fit the key (ES384 on P-256, RS256 on an EC key) give a signature too: the best
 * that a confused implementation could make. `none`, in any letter case, gives the empty signature.
 * @param key for HS* the shared secret's octets; else a private key.
 * @param options.ordinary whether ECDSA signatures of a rare shape, such as with a leading zero octet, are left out, so that
 * a target which stumbles over one of them in 256 does not fail scenarios by chance. Default true.
 * @throws TypeError for an unknown algorithm, or a key of a kind that it can't use at all.
 */
export function signer(
  algorithm: string,
  key: KeyObject | Uint8Array,
  { ordinary = true }: { readonly ordinary?: boolean } = {},
): Sign {
  if (algorithm.toLowerCase() === 'none') return () => Buffer.alloc(0);
  const scheme = SCHEMES[algorithm];
  if (scheme === undefined) throw new TypeError(`JWS algorithm ${algorithm} is not known`);
  if (scheme.kind === 'hmac') {
    if (!(key instanceof Uint8Array) && key.type !== 'secret')
      throw new TypeError(`${algorithm} needs a shared secret`);
    return (signingInput) => createHmac(scheme.hash, key).update(signingInput).digest();
  }
  if (key instanceof Uint8Array || key.type !== 'private')
    throw new TypeError(`${algorithm} needs a private key`);
  const hash = key.asymmetricKeyType?.startsWith('ed') ? null : scheme.hash;
  const scalar = SCALARS[key.asymmetricKeyDetails?.namedCurve ?? ''];
  // Asked for in DER and rewritten: Node is slow at finding out that it was given more than a key.
  if (scalar !== undefined)
    return (signingInput) => {
      for (;;) {
        const signature = jwsSignature(asymmetricSign(hash, signingInput, key), scalar);
        if (!ordinary || !isRare(signature, scalar)) return signature;
      }
    };
  const input = signingKey(key, scheme.pss === true);
  return (signingInput) => asymmetricSign(hash, signingInput, input);
}

/** One ECDSA signature in 85 begins as DER does, or has an R or S with a leading zero octet, which most of P-521 have. */
function isRare(signature: Buffer, scalar: number): boolean {
  return (
    scalar !== SCALAR_LENGTH['P-521'] &&
    (signature[0] === 0x30 || signature[0] === 0 || signature[scalar] === 0)
  );
}

function signingKey(key: KeyObject, pss: boolean): SignKeyObjectInput {
  if (key.asymmetricKeyType === 'ec') return { key, dsaEncoding: 'ieee-p1363' };
  if (key.asymmetricKeyType === 'rsa-pss' || (key.asymmetricKeyType === 'rsa' && pss)) {
    return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  }
  return { key };
}
