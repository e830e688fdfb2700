import { decodeJwt, errors, type JWTPayload } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type VerifyJwt, verifyJwt } from '../authorization-server/token-finder.ts';
import { parameter, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** Verifies a token, but for its end. */
async function verifyForever(...[token, issuer, context]: Parameters<VerifyJwt>): Promise<JWTPayload> {
  try {
    return await verifyJwt(token, issuer, context);
  } catch (error) {
    if (error instanceof errors.JWTExpired) return error.payload;
    throw error;
  }
}

/** The reference that does not look at the end of a token in a parameter of an exchange. */
function forgettingTheEndOf(name: string) {
  return withParts({
    verifyJwt: (token, issuer, context) =>
      (parameter(context, name) === token ? verifyForever : verifyJwt)(token, issuer, context),
  });
}

/** The claims of a JWT of another issuer, which nobody has verified. */
function claimsOfAnother(token: string, issuer: string, context: KoaContextWithOIDC): JWTPayload {
  const claims = decodeJwt(token);
  const isExchange = parameter(context, 'subject_token') === token;
  if (!isExchange || claims.iss === undefined || claims.iss === issuer) throw new Error('not another’s');
  return claims;
}

/** Mistakes in whether a token of an exchange is valid (RFC 8693 §2.1). */
export const validityMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-157',
    mistake: 'exchanges a subject token that has expired',
    breaks: ['AS-TX-4'],
    variant: () => forgettingTheEndOf('subject_token'),
  },
  {
    id: 'M-AS-158',
    mistake: 'takes an actor token that has expired',
    breaks: ['AS-TX-4'],
    variant: () => forgettingTheEndOf('actor_token'),
  },
  {
    id: 'M-AS-159',
    mistake: 'takes a token of an issuer that it does not know at its word',
    breaks: ['AS-TX-4'],
    variant: () =>
      withParts({
        verifyJwt: (token, issuer, context) =>
          verifyJwt(token, issuer, context).catch(() => claimsOfAnother(token, issuer.issuer, context)),
      }),
  },
];
