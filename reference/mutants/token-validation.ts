import { compactVerify, createLocalJWKSet } from 'jose';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import { readGrant } from '../resource-server/token.ts';
import { decoded, objectOf } from './proof-variants.ts';

/** What is asked of the claims of a token whose signature verifies (RFC 9068 §4). */
export interface TokenRules {
  readonly issued: (iss: unknown, issuer: string) => boolean;
  readonly meant: (aud: unknown, audience: string) => boolean;
  readonly expires: (exp: unknown, now: number) => boolean;
  readonly begins: (nbf: unknown, now: number) => boolean;
}

const DEFAULTS: TokenRules = {
  issued: (iss, issuer) => iss === issuer,
  meant: (aud, audience) => [aud].flat().includes(audience),
  expires: (exp, now) => typeof exp === 'number' && exp > now,
  begins: (nbf, now) => nbf === undefined || (typeof nbf === 'number' && nbf <= now),
};

/** The reference that validates JWT access tokens by other rules. */
export function validating(rules: Partial<TokenRules>): TargetVariant {
  const { issued, meant, expires, begins } = { ...DEFAULTS, ...rules };
  return {
    parts({ validateToken, tokens }) {
      const keys = createLocalJWKSet(tokens.keys);
      async function verifies(token: string): Promise<boolean> {
        try {
          const { protectedHeader } = await compactVerify(token, keys, { algorithms: ['ES256'] });
          return protectedHeader.typ === 'at+jwt';
        } catch {
          return false;
        }
      }
      return {
        async validateToken(token, now) {
          if (!isJwt(token)) return validateToken(token, now);
          if (!(await verifies(token))) return undefined;
          const claims = objectOf(decoded(token.split('.')[1])) ?? {};
          const valid =
            issued(claims['iss'], tokens.issuer) &&
            meant(claims['aud'], tokens.audience) &&
            expires(claims['exp'], now) &&
            begins(claims['nbf'], now);
          return valid ? readGrant(claims) : undefined;
        },
      };
    },
  };
}
