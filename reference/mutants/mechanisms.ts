import { defaultPresentationChecks } from '../resource-server/admission.ts';
import { bearerTokenOf } from '../resource-server/credentials.ts';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import { missingProof } from '../resource-server/refusal.ts';
import type { Mutant } from './mutant.ts';
import { checksUnless, PROOF_CHECKS } from './skipped-checks.ts';

const DPOP = /^dpop +(\S+)$/i;

function dpopTokenOf(request: HttpRequest): string | undefined {
  return DPOP.exec(fieldValues(request, 'authorization')[0] ?? '')?.[1];
}

/** Mistakes with RFC 8705 and DPoP beside session-bound tokens (draft -06 §4). */
export const mechanismsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-203',
    mistake: 'settles with the first token on a connection whether proofs are needed on it',
    breaks: ['RS-DPOP-6'],
    variant: () => {
      const certificateOnly = new WeakMap<object, boolean>();
      const checks = checksUnless(PROOF_CHECKS, ({ key }) => certificateOnly.get(key) === true);
      const { run } = checks.get('confirmation');
      return {
        parts: () => ({
          checks: checks.with('confirmation', (presentation, parts) => {
            const { confirmation, key } = presentation;
            if (!certificateOnly.has(key)) certificateOnly.set(key, confirmation.kind === 'certificate');
            return run(presentation, parts);
          }),
        }),
      };
    },
  },
  {
    id: 'M-RS-414',
    mistake:
      'demands a proof with every token on a connection, once it has refused one there for want of a proof',
    breaks: ['RS-MTLS-8'],
    variant: () => {
      const challenged = new WeakSet<object>();
      const { run } = defaultPresentationChecks.get('proof-present');
      return {
        parts: () => ({
          checks: defaultPresentationChecks.with('proof-present', (presentation, parts) => {
            const { key, proofs } = presentation;
            if (proofs.length === 0 && challenged.has(key)) return missingProof();
            const refusal = run(presentation, parts);
            if (refusal !== undefined) challenged.add(key);
            return refusal;
          }),
        }),
      };
    },
  },
  {
    id: 'M-RS-196',
    mistake: 'takes the scheme DPoP for a sign that proof of possession is shown elsewhere',
    breaks: ['RS-DPOP-3'],
    variant: () => ({
      parts: () => ({
        tokenOf: (request) => dpopTokenOf(request) ?? bearerTokenOf(request),
        isUnderDpop: () => false,
        checks: checksUnless(PROOF_CHECKS, ({ request }) => dpopTokenOf(request) !== undefined),
      }),
    }),
  },
];
