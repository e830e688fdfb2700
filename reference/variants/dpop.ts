import { randomUUID } from 'node:crypto';
import { createNonceSource, type NonceSource } from '../dpop/nonces.ts';
import { createDpopVerifier } from '../dpop/verify.ts';
import { NONCE_FIELD } from '../dpop/vocabulary.ts';
import { dpopKeyOf, readConfirmation } from '../proof/confirmation.ts';
import { CONFIRMATION } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { bearerTokenOf, isUnderDpop } from '../resource-server/credentials.ts';
import { invalidRequest, invalidToken, underDpop } from '../resource-server/refusal.ts';
import type { Grant } from '../resource-server/token.ts';
import { isJwt } from '../resource-server/jwt-tokens.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Variant } from './variant.ts';

/** A token that is bound to the session and to a DPoP key is taken under one scheme only. */
function under(scheme: 'DPoP' | 'Bearer'): TargetVariant {
  const { run } = defaultPresentationChecks.get('scheme');
  const checks = defaultPresentationChecks.with('scheme', (presentation, parts) => {
    const { confirmation, request } = presentation;
    const both = confirmation.kind === 'session' && dpopKeyOf(confirmation) !== undefined;
    if (!both || isUnderDpop(request) === (scheme === 'DPoP')) return run(presentation, parts);
    return underDpop(invalidToken(`the access token needs the scheme ${scheme}`));
  });
  return { parts: () => ({ checks }) };
}

/** Nonces of which each is good for one proof; every response has the next. */
function demandingSingleUse(): TargetVariant {
  const given = new Set<string>();
  const nonces: NonceSource = {
    current() {
      const nonce = randomUUID();
      given.add(nonce);
      return nonce;
    },
    accepts: (nonce) => typeof nonce === 'string' && given.delete(nonce),
  };
  return {
    listener: (inner) => (request, response) => {
      response.setHeader(NONCE_FIELD, nonces.current(0));
      inner(request, response);
    },
    parts: () => ({ verifyDpop: createDpopVerifier({ rules: { nonces } }) }),
  };
}

/** What `cnf` says without its `jkt`. */
function withoutKey(cnf: unknown): unknown {
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) return cnf;
  return Object.fromEntries(Object.entries(cnf).filter(([name]) => name !== CONFIRMATION.dpopKey));
}

/** Freedom in how DPoP and session binding go together (draft -06 §4.2, RFC 9449). */
export const dpopVariants: readonly Variant[] = [
  {
    id: 'V-RS-dpop-scheme',
    difference: 'takes a token bound in both ways under the scheme DPoP only (AMB-32)',
    variant: () => under('DPoP'),
  },
  {
    id: 'V-RS-dpop-bearer',
    difference: 'takes a token bound in both ways under the scheme Bearer only (AMB-32)',
    variant: () => under('Bearer'),
  },
  {
    id: 'V-RS-dpop-nonce',
    difference: 'demands a nonce of its own in each DPoP proof (RFC 9449 §9)',
    variant: () => ({
      parts: () => ({ verifyDpop: createDpopVerifier({ rules: { nonces: createNonceSource() } }) }),
    }),
  },
  {
    id: 'V-RS-several-dpop-400',
    difference: 'answers several DPoP fields with 400 invalid_request, whatever the token is bound to',
    variant: () => {
      const { run } = defaultPresentationChecks.get('confirmation');
      return {
        parts: () => ({
          checks: defaultPresentationChecks.with('confirmation', (presentation, parts) =>
            parts.dpopProofsOf(presentation.request).length > 1
              ? invalidRequest('the request has more than one DPoP field')
              : run(presentation, parts),
          ),
        }),
      };
    },
  },
  {
    id: 'V-RS-dpop-nonce-once',
    difference: 'gives a nonce with each response, good for one DPoP proof (RFC 9449 §8.2)',
    variant: demandingSingleUse,
  },
  {
    id: 'V-RS-introspection-kept',
    difference: 'remembers for a minute what introspection said of a token (RFC 7662 §4)',
    variant: () => {
      const known = new Map<string, { readonly grant: Grant | undefined; readonly until: number }>();
      return {
        parts: ({ validateToken }) => ({
          async validateToken(token, now) {
            if (isJwt(token)) return validateToken(token, now);
            const kept = known.get(token);
            const alive = (kept?.grant?.expiresAt ?? Number.POSITIVE_INFINITY) > now;
            if (kept !== undefined && kept.until > now && alive) return kept.grant;
            const grant = await validateToken(token, now);
            known.set(token, { grant, until: now + 60 });
            return grant;
          },
        }),
      };
    },
  },
  {
    id: 'V-RS-no-dpop',
    difference: 'knows nothing of DPoP, and ignores jkt (AMB-32)',
    lacks: ['dpop'],
    variant: () => ({
      parts: () => ({
        tokenOf: bearerTokenOf,
        readConfirmation: (cnf) => readConfirmation(withoutKey(cnf)),
      }),
    }),
  },
];
