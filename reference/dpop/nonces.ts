import { createHmac, randomBytes } from 'node:crypto';

/** Nonces that a server demands in DPoP proofs (RFC 9449 §8). */
export interface NonceSource {
  /** The nonce to hand out. @param now seconds since 1970-01-01 UTC */
  current(now: number): string;
  accepts(nonce: unknown, now: number): boolean;
}

/**
 * Nonces that follow from a secret and the time, so that none has to be remembered. One is taken in the period
 * that it was handed out in, and in the next.
 *
 * @param periodSeconds how long a nonce is handed out
 */
export function createNonceSource(periodSeconds = 60): NonceSource {
  const secret = randomBytes(32);
  const nonceOf = (period: number) => createHmac('sha256', secret).update(`${period}`).digest('base64url');
  const periodOf = (now: number) => Math.floor(now / periodSeconds);
  return {
    current: (now) => nonceOf(periodOf(now)),
    accepts: (nonce, now) => nonce === nonceOf(periodOf(now)) || nonce === nonceOf(periodOf(now) - 1),
  };
}
