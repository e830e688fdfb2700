import { forgeToken } from './token.ts';
import type { Token, TokenIssuer, TokenRequest } from './token.ts';

/** Longest search, in milliseconds: a hundred times what two octets take. */
const TIME_BOUND = 3000;

/**
 * Two right tokens of the same content, with different `jti`, whose SHA-256 share their first octets: they tell whether a
 * target compares the whole of `ath`. By the birthday bound some 320 tokens are made for two octets, 5,000 for three.
 * @throws Error when none are found within three seconds.
 */
export function collidingTokens(
  issuer: TokenIssuer,
  request: TokenRequest,
  octets: 2 | 3 = 2,
): readonly [Token, Token] {
  const seen = new Map<string, Token>();
  const end = performance.now() + TIME_BOUND;
  while (performance.now() < end) {
    const token = forgeToken(issuer, request);
    const prefix = Buffer.from(token.sha256, 'base64url').toString('hex', 0, octets);
    const other = seen.get(prefix);
    if (other !== undefined) return [other, token];
    seen.set(prefix, token);
  }
  throw new Error(`no two tokens of ${seen.size} share the first ${octets} octets of their SHA-256`);
}
