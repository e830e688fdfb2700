import { createNonceSource } from '../dpop/nonces.ts';
import { createDpopVerifier } from '../dpop/verify.ts';
import { dpopKeyOf, readConfirmation } from '../proof/confirmation.ts';
import { CONFIRMATION } from '../proof/vocabulary.ts';
import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { bearerTokenOf, isUnderDpop } from '../resource-server/credentials.ts';
import { invalidRequest, invalidToken, underDpop } from '../resource-server/refusal.ts';
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
