/** Every name that RFC 9449 gives to things on the wire. */

/** HTTP field that carries a DPoP proof (RFC 9449 §4.1). */
export const DPOP_FIELD = 'DPoP';
/** {@link DPOP_FIELD} as HTTP/2 and case-insensitive comparison want it. */
export const DPOP_FIELD_LOWER = 'dpop';
/** HTTP field by which a server hands out a nonce (RFC 9449 §8.2). */
export const NONCE_FIELD = 'DPoP-Nonce';
/** Authentication scheme of DPoP-bound tokens (RFC 9449 §7.1). */
export const DPOP_SCHEME = 'DPoP';
/** JOSE `typ` of a DPoP proof (RFC 9449 §4.2). */
export const DPOP_TYPE = 'dpop+jwt';

/** Claims of a DPoP proof (RFC 9449 §4.2). */
export const DPOP_CLAIM = {
  identifier: 'jti',
  method: 'htm',
  target: 'htu',
  issuedAt: 'iat',
  tokenHash: 'ath',
  nonce: 'nonce',
} as const;

/** Signature algorithms that are understood: asymmetric ones only (RFC 9449 §4.2). */
export const DPOP_ALGORITHMS: readonly string[] =
  'ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512'.split(' ');
