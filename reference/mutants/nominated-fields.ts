import { AsyncLocalStorage } from 'node:async_hooks';
import { fieldValues, type HttpRequest } from '../resource-server/http-message.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { PROOF_CHECKS, skipping } from './skipped-checks.ts';

const IDENTITY = 'X-Verified-Subject';

/** Whether the client nominates a field in Connection (RFC 9110 §7.6.1). */
export function nominates(request: HttpRequest, name: string): boolean {
  return fieldValues(request, 'connection').some((value) =>
    value.split(',').some((option) => option.trim().toLowerCase() === name.toLowerCase()),
  );
}

/** An application that is told who is calling by something else than the token. */
function calling(
  tell: (request: HttpRequest) => { readonly as: string | undefined } | undefined,
): TargetVariant {
  const told = new AsyncLocalStorage<ReturnType<typeof tell>>();
  return {
    parts: ({ validateToken }) => ({
      async validateToken(token, now) {
        const grant = await validateToken(token, now);
        const other = told.getStore();
        return grant && other ? { ...grant, subject: other.as } : grant;
      },
    }),
    listener: (inner) => (request, response) => told.run(tell(request), () => inner(request, response)),
  };
}

/** Mistakes with fields that the client nominates in Connection. */
export const nominatedFieldsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-580',
    mistake:
      'looks whether there is a proof, removes nominated fields, and verifies the proofs that are left',
    breaks: ['RS-FLD-13'],
    variant: () =>
      skipping(['single-proof', 'proof'], ({ request }) => nominates(request, 'Session-Binding-Proof')),
  },
  {
    id: 'M-RS-581',
    mistake:
      'removes a nominated Authorization field before it asks for the proof, and its application still reads the token',
    breaks: ['RS-FLD-13'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => nominates(request, 'Authorization')),
  },
  {
    id: 'M-RS-582',
    mistake:
      'removes a nominated Authorization field once it has verified the proof, and its application serves who brings none as nobody',
    breaks: ['RS-FLD-13'],
    variant: () =>
      calling((request) => (nominates(request, 'Authorization') ? { as: undefined } : undefined)),
  },
  {
    id: 'M-RS-583',
    mistake: 'takes a request that nominates the proof for one whose proof was verified and removed in front',
    breaks: ['RS-FLD-13'],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => nominates(request, 'Session-Binding-Proof')),
  },
  {
    id: 'M-RS-584',
    mistake: `sets ${IDENTITY} and removes nominated fields after that, so that its application finds nobody`,
    breaks: ['RS-FWD-3'],
    identityFields: [IDENTITY],
    variant: () => calling((request) => (nominates(request, IDENTITY) ? { as: 'anonymous' } : undefined)),
  },
  {
    id: 'M-RS-585',
    mistake: `overwrites ${IDENTITY}, but leaves nominated fields to the next hop as they came`,
    breaks: ['RS-FWD-3'],
    identityFields: [IDENTITY],
    variant: () =>
      calling((request) => {
        const [forged] = fieldValues(request, IDENTITY.toLowerCase());
        return forged !== undefined && nominates(request, IDENTITY) ? { as: forged } : undefined;
      }),
  },
  {
    id: 'M-RS-586',
    mistake: `takes a request that nominates ${IDENTITY} for one that comes from its own front end`,
    breaks: ['RS-FWD-3'],
    identityFields: [IDENTITY],
    variant: () => skipping(PROOF_CHECKS, ({ request }) => nominates(request, IDENTITY)),
  },
];
