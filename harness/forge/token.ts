import { randomUUID } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { isOddHash } from '../../certs/odd-hash.ts';
import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type { DpopKey } from './dpop-proof.ts';
import { forgeJwt, isPlainlySigned } from './jwt.ts';
import type { JwtChange } from './jwt.ts';
import { privateKeyOf } from './keys.ts';
import { ath } from './read.ts';

export { jwks } from '../../certs/token-issuer.ts';
export type { TokenIssuer } from '../../certs/token-issuer.ts';

/** The value of `cnf.tls_exp`, the exporter label (draft -06 §2.2, §2.4). */
export const EXPORTER_LABEL = 'EXPORTER-oauth-tls-session-bound';

const DEFAULT_LIFETIME = 600;

/** What an access token says. */
export interface TokenContent {
  /** Whose certificate it is bound to (`cnf.x5t#S256`): a party, or a thumbprint as such; `null` for none. */
  readonly boundTo: Identity | string | null;
  /**
   * `cnf.tls_exp`: `true` (default) for the draft's label, `false` leaves the member out; any other value stands there as it is.
   */
  readonly sessionBound?: unknown;
  /** The key that it is bound to by DPoP (`cnf.jkt`), or a thumbprint as such. Default: none. */
  readonly jkt?: DpopKey | string;
  /** Default `alice`. */
  readonly subject?: string;
  /** Seconds from now until `exp`; negative for a token that has expired. Default 600. */
  readonly lifetime?: number;
  /** Space-separated. Default `tsbt.basic`. */
  readonly scope?: string;
  /** Seconds since 1970; default: the clock. */
  readonly now?: number;
}

/** An access token to be made: what it says, and how it differs from a right one of that content. */
export interface TokenRequest extends TokenContent, JwtChange {}

export interface Token {
  /** The token as it stands after `Bearer `. */
  readonly compact: string;
  /** Unpadded base64url SHA-256 of it: names it in evidence, and is the `ath` of its proofs. */
  readonly sha256: string;
  readonly subject: string;
}

/** The members of an access token that a JWT and an introspection response share. */
export function tokenClaims(issuer: TokenIssuer, content: TokenContent): Record<string, unknown> {
  const now = content.now ?? Math.floor(Date.now() / 1000);
  return {
    iss: issuer.issuer,
    aud: issuer.audience,
    sub: content.subject ?? 'alice',
    client_id: 'tsbt-client',
    scope: content.scope ?? 'tsbt.basic',
    iat: now,
    exp: now + (content.lifetime ?? DEFAULT_LIFETIME),
    cnf: confirmation(content),
  };
}

/**
 * Mints a JWT access token (RFC 9068) with a fresh `jti`, signed with the issuer's key, bound to a certificate and to TLS sessions
 * (draft -06 §2.4) as asked for. Its hash is an ordinary one, unless a signature is asked for that makes it another.
 */
export function forgeToken(issuer: TokenIssuer, request: TokenRequest): Token {
  const right = {
    header: { typ: 'at+jwt', alg: undefined, kid: issuer.kid },
    claims: { ...tokenClaims(issuer, request), jti: randomUUID() },
    algorithm: 'ES256',
    key: privateKeyOf(issuer.privateKey),
  };
  const plain = isPlainlySigned(request);
  for (;;) {
    const token = tokenOf(forgeJwt(right, request), request);
    // A signature is another one each time, and with it the hash.
    if (!plain || !isOddHash(token.sha256)) return token;
  }
}

/** A token's text with what names it. */
export function tokenOf(compact: string, content: Pick<TokenContent, 'subject'>): Token {
  return { compact, sha256: ath(compact), subject: content.subject ?? 'alice' };
}

function confirmation({
  boundTo,
  sessionBound = true,
  jkt,
}: TokenContent): Record<string, unknown> | undefined {
  const members: Record<string, unknown> = {};
  if (boundTo !== null) members['x5t#S256'] = typeof boundTo === 'string' ? boundTo : boundTo.thumbprint;
  if (sessionBound !== false) members['tls_exp'] = sessionBound === true ? EXPORTER_LABEL : sessionBound;
  if (jkt !== undefined) members['jkt'] = typeof jkt === 'string' ? jkt : jkt.thumbprint;
  return Object.keys(members).length === 0 ? undefined : members;
}
