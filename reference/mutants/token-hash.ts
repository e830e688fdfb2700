import { accessTokenHash } from '../proof/encoding.ts';
import type { VerificationRules } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

function withTokenHash(tokenHash: VerificationRules['tokenHash']): TargetVariant {
  return { parts: () => ({ verifyProof: createVerifier({ rules: { tokenHash } }) }) };
}

/** Mistakes with the hash of the access token (draft -06 §2.3.2.1, §3.3.2 step 5g). */
export const tokenHashMutants: readonly Mutant[] = [
  {
    id: 'M-RS-49',
    mistake: 'does not compare ath',
    breaks: ['RS-PL-1', 'RS-PL-2', 'RS-PL-6', 'RS-MUX-2'],
    variant: () => ({
      parts: () => ({ verifyProof: createVerifier({ checks: defaultChecks.without('token-hash') }) }),
    }),
  },
  {
    id: 'M-RS-51',
    mistake: 'decodes the token’s parts and encodes them anew before it hashes them',
    breaks: ['RS-PL-2'],
    variant: () =>
      withTokenHash((token) => {
        const parts = token.split('.');
        if (parts.length !== 3) return accessTokenHash(token);
        const anew = parts.map((part) => Buffer.from(part, 'base64url').toString('base64url'));
        return accessTokenHash(anew.join('.'));
      }),
  },
  {
    id: 'M-RS-173',
    mistake: 'compares only the first half of ath',
    breaks: ['RS-PL-2', 'RS-PL-6'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({
          checks: defaultChecks.with('token-hash', ({ claims }, { token }) => {
            const half = accessTokenHash(token).slice(0, 21);
            if (typeof claims['ath'] === 'string' && claims['ath'].startsWith(half)) return undefined;
            return { code: 'wrong-token-hash', step: 'g', member: 'ath', description: 'ath does not fit' };
          }),
        }),
      }),
    }),
  },
  {
    id: 'M-RS-174',
    mistake: 'leaves the padding of an opaque token out of its hash',
    breaks: ['RS-PL-2'],
    variant: () => withTokenHash((token) => accessTokenHash(token.replace(/=+$/, ''))),
  },
];
