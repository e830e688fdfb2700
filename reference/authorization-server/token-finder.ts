import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { findOpaque, fromClaims, isJwt, type IssuedToken } from './issued-token.ts';

/** Who issues the tokens of this server. */
export interface TokenIssuer {
  readonly issuer: string;
  /** Its public keys. */
  readonly keys: JSONWebKeySet;
}

/**
 * The claims of a JWT access token of this server.
 *
 * @throws where it is none, or not valid any more
 */
export type VerifyJwt = (
  token: string,
  issuer: TokenIssuer,
  context: KoaContextWithOIDC,
) => Promise<JWTPayload>;

/** Finds an access token of this server that is valid. */
export type FindToken = (context: KoaContextWithOIDC, token: string) => Promise<IssuedToken | undefined>;

/**
 * A JWT access token has this server's signature and says what it is: a proof, an ID token or a client assertion is
 * none, whoever signed it.
 *
 * Source: RFC 9068 §4; RFC 8725 §3.11.
 */
export const verifyJwt: VerifyJwt = async (token, { issuer, keys }) => {
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer,
    typ: 'at+jwt',
    requiredClaims: ['exp', 'sub', 'aud', 'client_id'],
  });
  return payload;
};

/** Finds JWTs by their signature, and opaque tokens where they are stored. */
export function createFinder(provider: Provider, keys: JSONWebKeySet, verify: VerifyJwt): FindToken {
  return async (context, token) => {
    if (!isJwt(token)) return findOpaque(provider, token);
    try {
      return fromClaims(await verify(token, { issuer: provider.issuer, keys }, context));
    } catch {
      return undefined;
    }
  };
}
