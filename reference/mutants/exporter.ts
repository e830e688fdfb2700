import { defaultChecks, createVerifier } from '../proof/verify.ts';
import type { Mutant } from './mutant.ts';

/** Mistakes with the exporter value (draft -06 §2.2, §3.3.2 step 5f). */
export const exporterMutants: readonly Mutant[] = [
  {
    id: 'M-RS-21',
    mistake: 'does not compare ekm at all',
    breaks: ['RS-EKM-1', 'RS-EKM-5', 'RS-T1', 'RS-T4'],
    variant: () => ({
      parts: () => ({ verifyProof: createVerifier({ checks: defaultChecks.without('exporter') }) }),
    }),
  },
];
