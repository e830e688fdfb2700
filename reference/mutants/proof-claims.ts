import { checkExpiry, checkExporter, checkIssuedAt, checkTokenHash } from '../proof/claim-checks.ts';
import { checkType } from '../proof/header-checks.ts';
import { defectOf } from '../proof/defect.ts';
import type { CheckName, ProofCheck } from '../proof/subject.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

/** The reference with another `run` for one check of the proof. */
function withCheck(name: CheckName, run: ProofCheck): TargetVariant {
  return { parts: () => ({ verifyProof: createVerifier({ checks: defaultChecks.with(name, run) }) }) };
}

/** A check that is left out where the claim is not there. */
function onlyIfPresent(claim: string, check: ProofCheck): ProofCheck {
  return (proof, subject, rules) =>
    proof.claims[claim] === undefined ? undefined : check(proof, subject, rules);
}

const stale = defectOf('stale', 'h', CLAIM.issuedAt, 'iat is out of range');

/** Mistakes with the claims that every proof has (draft -06 §2.3.2.1). */
export const proofClaimsMutants: readonly Mutant[] = [
  {
    id: 'M-RS-22',
    mistake: 'compares ekm only where the claim is present',
    breaks: ['RS-PL-1'],
    variant: () => withCheck('exporter', onlyIfPresent(CLAIM.exporter, checkExporter)),
  },
  {
    id: 'M-RS-170',
    mistake: 'compares ath only where the claim is present',
    breaks: ['RS-PL-1'],
    variant: () => withCheck('token-hash', onlyIfPresent(CLAIM.tokenHash, checkTokenHash)),
  },
  {
    id: 'M-RS-52',
    mistake: 'ignores iat',
    breaks: ['RS-PL-1', 'RS-PL-3', 'RS-PL-4', 'RS-PL-5'],
    variant: () => withCheck('issued-at', () => undefined),
  },
  {
    id: 'M-RS-53',
    mistake: 'has no upper bound for iat, so that proofs made in advance live for ever',
    breaks: ['RS-PL-4', 'RS-PL-5'],
    variant: () =>
      withCheck('issued-at', (proof, subject, rules) =>
        checkIssuedAt(proof, subject, { ...rules, futureSeconds: Number.MAX_VALUE }),
      ),
  },
  {
    id: 'M-RS-172',
    mistake: 'has no lower bound for iat, so that proofs never grow old',
    breaks: ['RS-PL-3', 'RS-PL-5'],
    variant: () =>
      withCheck('issued-at', (proof, subject, rules) =>
        checkIssuedAt(proof, subject, { ...rules, pastSeconds: Number.MAX_VALUE }),
      ),
  },
  {
    id: 'M-RS-55',
    mistake: 'converts iat to a number, so that strings pass, and what is no number is never out of range',
    breaks: ['RS-PL-1', 'RS-PL-5'],
    variant: () =>
      withCheck('issued-at', ({ claims }, { now }, rules) => {
        const issuedAt = Number(claims[CLAIM.issuedAt]);
        return issuedAt < now - rules.pastSeconds || issuedAt > now + rules.futureSeconds ? stale : undefined;
      }),
  },
  {
    id: 'M-RS-56',
    mistake: 'gives the window of iat in milliseconds, so that it is a thousand times too wide',
    breaks: ['RS-PL-3', 'RS-PL-4'],
    variant: () =>
      withCheck('issued-at', (proof, subject, rules) =>
        checkIssuedAt(proof, subject, { ...rules, pastSeconds: 300_000, futureSeconds: 300_000 }),
      ),
  },
  {
    id: 'M-RS-65',
    mistake: 'refuses proofs with claims that it does not know',
    breaks: ['RS-PL-14'],
    variant: () => {
      const known = new Set<string>(Object.values(CLAIM));
      return withCheck('type', (proof, subject, rules) => {
        const unknown = Object.keys(proof.claims).find((claim) => !known.has(claim));
        if (unknown === undefined) return checkType(proof, subject, rules);
        return defectOf('malformed-claim', 'form', unknown, 'the proof has a claim that is not known here');
      });
    },
  },
  {
    id: 'M-RS-325',
    mistake:
      'compares exp of a proof with the time in milliseconds, so that every proof with one has expired',
    breaks: ['RS-PL-15'],
    variant: () =>
      withCheck('expiry', (proof, subject) => checkExpiry(proof, { ...subject, now: subject.now * 1000 })),
  },
  {
    id: 'M-RS-67',
    mistake: 'turns ekm into text and decodes it leniently before comparing octets',
    breaks: ['RS-PL-6'],
    variant: () =>
      withCheck('exporter', ({ claims }, { exporter }) => {
        const received = Buffer.from(String(claims[CLAIM.exporter]), 'base64url');
        if (received.equals(exporter)) return undefined;
        return defectOf('wrong-exporter', 'f', CLAIM.exporter, 'ekm is not that of this connection');
      }),
  },
];
