import { decodeJwt } from 'jose';
import { readConfirmation } from '../proof/confirmation.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import { invalidToken } from '../resource-server/refusal.ts';
import { readGrant, type Grant } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';

/** Mistakes in validating the access token itself (draft -06 §3.3.2 step 5b). */
export const tokenValidityMutants: readonly Mutant[] = [
  {
    id: 'M-RS-89',
    mistake: 'knows a validated token again by its jti, and reads cnf from whatever text has that jti',
    breaks: ['RS-TOK-4'],
    variant: () => {
      const validated = new Map<string, Grant>();
      return {
        parts: ({ validateToken }) => ({
          async validateToken(token, now) {
            if (!isJwt(token)) return validateToken(token, now);
            const { jti = '', cnf } = decodeJwt(token);
            const known = validated.get(jti);
            if (known !== undefined && (known.expiresAt ?? 0) > now) return { ...known, confirmation: cnf };
            const grant = await validateToken(token, now);
            if (grant !== undefined) validated.set(jti, grant);
            return grant;
          },
        }),
      };
    },
  },
  {
    id: 'M-RS-91',
    mistake: 'does not validate a token that is bound to TLS sessions, since its proof is verified',
    breaks: ['RS-TOK-1', 'RS-TOK-4'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          const grant = await validateToken(token, now);
          if (grant !== undefined || !isJwt(token)) return grant;
          const unvalidated = readGrant(decodeJwt(token));
          return readConfirmation(unvalidated.confirmation).kind === 'session' ? unvalidated : undefined;
        },
      }),
    }),
  },
  {
    id: 'M-RS-107',
    mistake: 'reports a missing scope as a proof that fails',
    breaks: ['RS-TOK-2'],
    variant: () => ({
      parts: () => ({
        insufficientScope: () => ({ ...invalidToken('the scope is not enough'), error: 'invalid_proof' }),
      }),
    }),
  },
  {
    id: 'M-RS-195',
    mistake:
      'treats a token that is not valid as if none had been sent, and serves what anonymous users may see',
    breaks: ['RS-TOK-1', 'RS-TOK-4', 'RS-ERR-7'],
    variant: () => ({
      parts: ({ validateToken }) => ({
        validateToken: async (token, now) =>
          (await validateToken(token, now)) ?? readGrant({ sub: 'anonymous' }),
      }),
    }),
  },
];
