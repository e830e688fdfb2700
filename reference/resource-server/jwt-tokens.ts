import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { accessTokenHash } from '../proof/encoding.ts';
import { BoundedMap } from '../memory/bounded-map.ts';
import { type Grant, readGrant, type TokenValidator } from './token.ts';

export interface JwtTokenOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: JSONWebKeySet;
  /** How many validated tokens are remembered. Default 4096. */
  readonly remembered?: number;
}

/** Asymmetric algorithms only: the keys are public, so a MAC keyed with one proves nothing (RFC 8725 §3.1). */
const ALGORITHMS = 'ES256 ES384 ES512 EdDSA Ed25519 RS256 RS384 RS512 PS256 PS384 PS512'.split(' ');

/** Whether a token looks like a signed JWT; opaque tokens may contain dots too. */
export function isJwt(token: string): boolean {
  if (token.split('.', 4).length !== 3) return false;
  try {
    return typeof decodeProtectedHeader(token).alg === 'string';
  } catch {
    return false;
  }
}

/**
 * Validates JWT access tokens: signature by the issuer's keys, type `at+jwt`, issuer, audience, times.
 * A token that was valid is remembered by its hash; its time of expiry is looked at each time.
 *
 * Source: RFC 9068 §4.
 */
export function createJwtValidator(options: JwtTokenOptions): TokenValidator {
  const keys = createLocalJWKSet(options.keys);
  const remembered = new BoundedMap<string, Grant>(options.remembered ?? 4096);

  async function validate(token: string, tokenHash: string, now: number): Promise<Grant | undefined> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: options.issuer,
        audience: options.audience,
        typ: 'at+jwt',
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now * 1000),
      });
      const grant = readGrant(payload);
      remembered.set(tokenHash, grant);
      return grant;
    } catch {
      return undefined;
    }
  }

  return (token, now) => {
    const tokenHash = accessTokenHash(token);
    const known = remembered.get(tokenHash);
    if (known === undefined) return validate(token, tokenHash, now);
    if (known.expiresAt !== undefined && known.expiresAt > now) return known;
    remembered.delete(tokenHash);
    return undefined;
  };
}
