import { constants, type KeyObject, sign, verify } from 'node:crypto';

/** A JWS signature algorithm (RFC 7518 §3, RFC 8037, RFC 9864) on `node:crypto` keys. */
export interface Algorithm {
  /** JOSE `alg` value. */
  readonly name: string;
  /** @returns the signature in its JWS form (ECDSA: R and S of fixed length, RFC 7518 §3.4) */
  readonly sign: (key: KeyObject, input: Uint8Array) => Buffer;
  readonly verify: (key: KeyObject, input: Uint8Array, signature: Uint8Array) => boolean;
}

/** The smallest RSA modulus that is accepted, in bits (RFC 7518 §3.3). */
const MINIMUM_RSA_BITS = 2048;

function ecdsa(name: string, digest: string, signatureLength: number): Algorithm {
  return {
    name,
    sign: (key, input) => sign(digest, input, { key, dsaEncoding: 'ieee-p1363' }),
    verify: (key, input, signature) =>
      signature.length === signatureLength &&
      verify(digest, input, { key, dsaEncoding: 'ieee-p1363' }, signature),
  };
}

function rsaPkcs1(name: string, digest: string): Algorithm {
  const padding = constants.RSA_PKCS1_PADDING;
  return {
    name,
    sign: (key, input) => sign(digest, input, { key, padding }),
    verify: (key, input, signature) => verify(digest, input, { key, padding }, signature),
  };
}

function rsaPss(name: string, digest: string, saltLength: number): Algorithm {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return {
    name,
    sign: (key, input) => sign(digest, input, { key, padding, saltLength }),
    verify: (key, input, signature) => verify(digest, input, { key, padding, saltLength }, signature),
  };
}

function ed25519(name: string): Algorithm {
  return {
    name,
    sign: (key, input) => sign(null, input, key),
    verify: (key, input, signature) => signature.length === 64 && verify(null, input, key, signature),
  };
}

const EC_CURVES: Readonly<Record<string, Algorithm>> = {
  prime256v1: ecdsa('ES256', 'sha256', 64),
  secp384r1: ecdsa('ES384', 'sha384', 96),
  secp521r1: ecdsa('ES512', 'sha512', 132),
};
const PSS = [rsaPss('PS256', 'sha256', 32), rsaPss('PS384', 'sha384', 48), rsaPss('PS512', 'sha512', 64)];
const PKCS1 = [rsaPkcs1('RS256', 'sha256'), rsaPkcs1('RS384', 'sha384'), rsaPkcs1('RS512', 'sha512')];
const EDWARDS = [ed25519('Ed25519'), ed25519('EdDSA')];
const PSS_DIGESTS: Readonly<Record<string, string>> = { PS256: 'sha256', PS384: 'sha384', PS512: 'sha512' };

/**
 * The algorithms that fit a key's type, curve and size, the preferred one first. Empty where no
 * proof can be signed with such a key: an unknown type or curve, or RSA below 2048 bits.
 * A key restricted to RSASSA-PSS gets only PSS, and only with the digest its restriction names
 * (RFC 4055 §3.1).
 *
 * Source: draft -06 §2.3.1 (`alg` fits the certificate's key), RFC 8725 §3.1.
 */
export function algorithmsFor(key: KeyObject): readonly Algorithm[] {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const algorithm = EC_CURVES[details?.namedCurve ?? ''];
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'ed25519':
      return EDWARDS;
    case 'rsa':
      return (details?.modulusLength ?? 0) < MINIMUM_RSA_BITS ? [] : [...PSS, ...PKCS1];
    case 'rsa-pss':
      if ((details?.modulusLength ?? 0) < MINIMUM_RSA_BITS) return [];
      return PSS.filter(
        ({ name }) => details?.hashAlgorithm === undefined || details.hashAlgorithm === PSS_DIGESTS[name],
      );
    default:
      return [];
  }
}
