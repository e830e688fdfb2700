import { hash } from 'node:crypto';

/** Remembers the `jti` of each proof that was accepted, for as long as its token is valid. */
export interface IdentifierStore {
  /**
   * Records an identifier for a token, in one synchronous step.
   *
   * @param expiresAt when the token expires, in seconds since 1970-01-01 UTC; `undefined` where unknown
   * @param now seconds
   * @returns false where it was recorded before, or the store is full
   */
  claim(tokenHash: string, jti: string, expiresAt: number | undefined, now: number): boolean;
}

interface TokenIdentifiers {
  readonly expiresAt: number;
  readonly seen: Set<string>;
}

/** How long identifiers of a token without known expiry are kept, in seconds. */
const UNKNOWN_LIFETIME = 86_400;

/**
 * An identifier store in memory. It is bounded for each token and as a whole; a full store refuses
 * further identifiers, since forgetting one would let its proof pass again.
 *
 * Source: draft -06 §2.3.2.2.
 */
export function createIdentifierStore(perToken = 20_000, tokens = 10_000): IdentifierStore {
  const byToken = new Map<string, TokenIdentifiers>();
  return {
    claim(tokenHash, jti, expiresAt, now) {
      let identifiers = byToken.get(tokenHash);
      if (identifiers === undefined) {
        if (byToken.size >= tokens) forgetExpired(byToken, now);
        if (byToken.size >= tokens) return false;
        identifiers = { expiresAt: expiresAt ?? now + UNKNOWN_LIFETIME, seen: new Set() };
        byToken.set(tokenHash, identifiers);
      }
      const digest = hash('sha256', jti, 'base64url');
      if (identifiers.seen.has(digest) || identifiers.seen.size >= perToken) return false;
      identifiers.seen.add(digest);
      return true;
    },
  };
}

function forgetExpired(byToken: Map<string, TokenIdentifiers>, now: number): void {
  for (const [tokenHash, { expiresAt }] of byToken) {
    if (expiresAt <= now) byToken.delete(tokenHash);
  }
}
