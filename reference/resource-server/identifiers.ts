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
 * @param perToken most identifiers kept for one token
 * @param tokens most tokens for which identifiers are kept
 * @param total most identifiers kept for all tokens together
 *
 * Source: draft -06 §2.3.2.2.
 */
export function createIdentifierStore(
  perToken = 20_000,
  tokens = 10_000,
  total = 1_000_000,
): IdentifierStore {
  const byToken = new Map<string, TokenIdentifiers>();
  let held = 0;
  return {
    claim(tokenHash, jti, expiresAt, now) {
      if (held >= total || (byToken.size >= tokens && !byToken.has(tokenHash))) {
        held -= forgetExpired(byToken, now);
        if (held >= total) return false;
      }
      let identifiers = byToken.get(tokenHash);
      if (identifiers === undefined) {
        if (byToken.size >= tokens) return false;
        identifiers = { expiresAt: expiresAt ?? now + UNKNOWN_LIFETIME, seen: new Set() };
        byToken.set(tokenHash, identifiers);
      }
      const digest = hash('sha256', jti, 'base64url');
      if (identifiers.seen.has(digest) || identifiers.seen.size >= perToken) return false;
      identifiers.seen.add(digest);
      held += 1;
      return true;
    },
  };
}

/** @returns how many identifiers were forgotten */
function forgetExpired(byToken: Map<string, TokenIdentifiers>, now: number): number {
  let forgotten = 0;
  for (const [tokenHash, { expiresAt, seen }] of byToken) {
    if (expiresAt > now) continue;
    byToken.delete(tokenHash);
    forgotten += seen.size;
  }
  return forgotten;
}
