import { randomBytes } from 'node:crypto';
import { isOddHash } from '../../certs/odd-hash.ts';
import { tokenClaims, tokenOf } from './token.ts';
import type { Token, TokenContent, TokenIssuer } from './token.ts';

/** A token that says nothing by itself, with what introspection says of it. */
export interface OpaqueToken extends Token {
  /** The introspection response's members (RFC 7662 §2.2). */
  readonly introspection: Readonly<Record<string, unknown>>;
}

/** What an opaque token stands for; `claims` sets members of the introspection response, `undefined` removes. */
export interface OpaqueTokenRequest extends TokenContent {
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The token itself. Default: a random one. */
  readonly text?: string;
}

/**
 * Makes an opaque access token that holds every character of the b64token syntax which a careless reader stumbles over
 * (`-` `.` `_` `~` `+` `/` and trailing `=`; RFC 6750 §2.1). It has one dot, so it is no JWT.
 */
export function forgeOpaqueToken(issuer: TokenIssuer, request: OpaqueTokenRequest): OpaqueToken {
  const introspection: Record<string, unknown> = {
    active: true,
    token_type: 'Bearer',
    ...tokenClaims(issuer, request),
    ...request.claims,
  };
  for (const name of Object.keys(introspection)) {
    if (introspection[name] === undefined) delete introspection[name];
  }
  if (request.text !== undefined) return { ...tokenOf(request.text, request), introspection };
  for (;;) {
    const [head, tail] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
    const token = tokenOf(`${head}-._~+/${tail}==`, request);
    if (!isOddHash(token.sha256)) return { ...token, introspection };
  }
}
