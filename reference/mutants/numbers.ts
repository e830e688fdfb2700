import { createDpopVerifier, defaultDpopChecks } from '../dpop/verify.ts';
import { defectOf } from '../proof/defect.ts';
import { checkExpiry, checkIssuedAt, checkNotBefore } from '../proof/claim-checks.ts';
import { parseProof } from '../proof/parse.ts';
import type { ProofCheck } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { CLAIM } from '../proof/vocabulary.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';
import { decoded, withRules } from './proof-variants.ts';
import { validating } from './token-validation.ts';

type TimeClaim = 'iat' | 'exp' | 'nbf';

const BILLION = 1_000_000_000n;
const stale = defectOf('stale', 'h', CLAIM.issuedAt, 'iat is out of range');

/** A number as a 64-bit integer type would hold it; what is beyond its ends saturates. */
function whole(value: number): bigint {
  if (Math.abs(value) >= 2 ** 63) return value > 0 ? 2n ** 63n - 1n : -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

/** Times of 32 bits and one more; what became of greater ones would hang on the hour. */
const FEW_BITS = 2 ** 33;

function unsigned32(value: number): number {
  return Math.abs(value) < FEW_BITS ? Number(BigInt.asUintN(32, whole(value))) : value;
}

/** The reference with the times of a proof converted before they are compared. */
function converting(names: readonly TimeClaim[], convert: (value: number) => number): TargetVariant {
  const converted =
    (check: ProofCheck): ProofCheck =>
    (proof, subject, rules) => {
      const entries = Object.entries(proof.claims).map(([name, value]) => [
        name,
        names.some((one) => one === name) && typeof value === 'number' ? convert(value) : value,
      ]);
      return check({ ...proof, claims: Object.fromEntries(entries) }, subject, rules);
    };
  const checks = defaultChecks
    .with('issued-at', converted(checkIssuedAt))
    .with('expiry', converted(checkExpiry))
    .with('not-before', converted(checkNotBefore));
  return { parts: () => ({ verifyProof: createVerifier({ checks }) }) };
}

/** The reference with iat of a DPoP proof converted before it is compared. */
function convertingDpop(convert: (value: number) => number): TargetVariant {
  const { run } = defaultDpopChecks.get('issued-at');
  const checks = defaultDpopChecks.with('issued-at', (proof, subject, rules) => {
    const { iat } = proof.claims;
    return run(
      typeof iat === 'number' ? { ...proof, claims: { ...proof.claims, iat: convert(iat) } } : proof,
      subject,
      rules,
    );
  });
  return { parts: () => ({ verifyDpop: createDpopVerifier({ checks }) }) };
}

/** The reference with `iat` taken from its JSON text instead of from the number that it stands for. */
function readingText(read: (literal: string, parsed: number) => number): TargetVariant {
  return withRules({
    parse(compact) {
      const proof = parseProof(compact);
      if ('code' in proof) return proof;
      const { iat } = proof.claims;
      const literal = /"iat":(-?[0-9][0-9.eE+-]*)/.exec(decoded(compact.split('.')[1]))?.[1];
      if (typeof iat !== 'number' || literal === undefined || Number(literal) !== iat) return proof;
      return { ...proof, claims: { ...proof.claims, iat: read(literal, iat) } };
    },
  });
}

function isInteger(literal: string): boolean {
  return /^-?\d+$/.test(literal);
}

/** Compares in nanoseconds, in 64 bits; a number of seconds beyond those is out of range. */
function inNanoseconds(value: number): number {
  return Math.abs(value) < 2 ** 63
    ? Number(BigInt.asIntN(64, whole(value) * BILLION)) / Number(BILLION)
    : value;
}

/** Whatever lies further ahead is refused; how old it is is a difference in 64 bits. */
const overflowing: ProofCheck = (proof, subject, rules) => {
  const { iat } = proof.claims;
  if (typeof iat !== 'number') return checkIssuedAt(proof, subject, rules);
  if (iat > subject.now + rules.futureSeconds) return stale;
  const age = BigInt.asIntN(64, whole(subject.now) - whole(iat));
  return age > whole(rules.pastSeconds) ? stale : undefined;
};

/** Mistakes with numbers (RFC 7519 §2, RFC 8259 §6). */
export const numbersMutants: readonly Mutant[] = [
  {
    id: 'M-RS-650',
    mistake: 'keeps iat of a proof in an unsigned integer of 32 bits',
    breaks: ['RS-PL-5'],
    variant: () => converting(['iat'], unsigned32),
  },
  {
    id: 'M-RS-651',
    mistake: 'takes an iat of more than eleven digits for milliseconds',
    breaks: ['RS-PL-4', 'RS-PL-5'],
    variant: () => converting(['iat'], (value) => (value >= 1e11 ? value / 1000 : value)),
  },
  {
    id: 'M-RS-652',
    mistake: 'reads iat into an integer of 64 bits that begins again at its end',
    breaks: ['RS-PL-5'],
    variant: () =>
      readingText((literal, parsed) =>
        isInteger(literal) ? Number(BigInt.asIntN(64, BigInt(literal))) : parsed,
      ),
  },
  {
    id: 'M-RS-653',
    mistake: 'computes the age of a proof as a difference in 64 bits, which overflows',
    breaks: ['RS-PL-5'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({ checks: defaultChecks.with('issued-at', overflowing) }),
      }),
    }),
  },
  {
    id: 'M-RS-654',
    mistake: 'turns iat into nanoseconds in 64 bits',
    breaks: ['RS-PL-5'],
    variant: () => converting(['iat'], inNanoseconds),
  },
  {
    id: 'M-RS-655',
    mistake: 'reads iat from its digits as far as they go',
    breaks: ['RS-PL-5'],
    variant: () => readingText((literal) => Number.parseInt(literal, 10)),
  },
  {
    id: 'M-RS-656',
    mistake: 'turns iat into milliseconds in 32 bits, and the clock too',
    breaks: ['RS-PL-5'],
    variant: () =>
      converting(['iat'], (value) => {
        if (Math.abs(value) >= FEW_BITS) return value;
        const now = Date.now() / 1000;
        const apart = Number(BigInt.asIntN(32, whole(value * 1000) - whole(now * 1000))) / 1000;
        return now + apart;
      }),
  },
  {
    id: 'M-RS-657',
    mistake: 'keeps exp and nbf of a proof in unsigned integers of 32 bits',
    breaks: ['RS-PL-15'],
    variant: () => converting(['exp', 'nbf'], unsigned32),
  },
  {
    id: 'M-RS-658',
    mistake: 'takes iat 0 for no iat, and a proof without time for a recent one',
    breaks: ['RS-PL-3', 'RS-PL-5'],
    variant: () => ({
      parts: () => ({
        verifyProof: createVerifier({
          checks: defaultChecks.with('issued-at', (proof, ...rest) =>
            proof.claims[CLAIM.issuedAt] === 0 ? undefined : checkIssuedAt(proof, ...rest),
          ),
        }),
      }),
    }),
  },
  {
    id: 'M-RS-659',
    mistake: 'keeps exp of a token in an unsigned integer of 32 bits',
    breaks: ['RS-TOK-1'],
    variant: () => validating({ expires: (exp, now) => typeof exp === 'number' && unsigned32(exp) > now }),
  },
  {
    id: 'M-RS-660',
    mistake: 'keeps nbf of a token in an unsigned integer of 32 bits',
    breaks: ['RS-TOK-1'],
    variant: () =>
      validating({
        begins: (nbf, now) => nbf === undefined || (typeof nbf === 'number' && unsigned32(nbf) <= now),
      }),
  },
  {
    id: 'M-RS-661',
    mistake: 'takes exp 0 of a token for no end',
    breaks: ['RS-TOK-1'],
    variant: () => validating({ expires: (exp, now) => typeof exp === 'number' && (exp === 0 || exp > now) }),
  },
  {
    id: 'M-RS-662',
    mistake: 'takes an nbf of a token that has more than eleven digits for milliseconds',
    breaks: ['RS-TOK-1'],
    variant: () =>
      validating({
        begins: (nbf, now) =>
          nbf === undefined || (typeof nbf === 'number' && (nbf >= 1e11 ? nbf / 1000 : nbf) <= now),
      }),
  },
  {
    id: 'M-RS-678',
    mistake: 'keeps iat of a DPoP proof in an unsigned integer of 32 bits',
    breaks: ['RS-DPOP-1'],
    variant: () => convertingDpop(unsigned32),
  },
  {
    id: 'M-RS-679',
    mistake: 'takes an iat of a DPoP proof of more than eleven digits for milliseconds',
    breaks: ['RS-DPOP-1'],
    variant: () => convertingDpop((value) => (value >= 1e11 ? value / 1000 : value)),
  },
];
