import { timingSafeEqual } from 'node:crypto';
import type { Checks } from '../proof/checks.ts';
import { defectOf } from '../proof/defect.ts';
import { thumbprint } from '../proof/encoding.ts';
import { parseProof } from '../proof/parse.ts';
import { matchesTarget } from '../proof/request-target.ts';
import type { CheckName, ProofCheck, VerificationRules } from '../proof/subject.ts';
import { createVerifier, defaultChecks } from '../proof/verify.ts';
import { HEADER, PROOF_TYPE } from '../proof/vocabulary.ts';
import { proofsOf } from '../resource-server/credentials.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Variant } from './variant.ts';

function withRules(rules: Partial<VerificationRules>): TargetVariant {
  return { parts: () => ({ verifyProof: createVerifier({ rules }) }) };
}

function withChecks(checks: Checks<CheckName, ProofCheck>): TargetVariant {
  return { parts: () => ({ verifyProof: createVerifier({ checks }) }) };
}

const PADDED = /^[A-Za-z0-9_-]+={0,2}$/;

/** Compares the octets that two texts stand for. */
function sameOctets(expected: string, received: string): boolean {
  if (!PADDED.test(received)) return false;
  const [left, right] = [Buffer.from(expected, 'base64url'), Buffer.from(received, 'base64url')];
  return left.length === right.length && timingSafeEqual(left, right);
}

const NUMBER = /[:[,]\s*(-?\d[\d.eE+-]*)(?=\s*[,\]}])/g;
const GREATEST = 2n ** 63n - 1n;

/** A parser of JSON into structures: a number with fraction or exponent, or beyond 64 bits, is an error to it. */
function parseIntegers(compact: string): ReturnType<typeof parseProof> {
  const payload = Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString();
  const readable = [...payload.matchAll(NUMBER)].every(
    ([, number = '']) =>
      /^-?\d+$/.test(number) && BigInt(number) <= GREATEST && BigInt(number) >= -GREATEST - 1n,
  );
  return parseProof(readable ? compact : '');
}

/** Freedom in how a proof is read (draft -06 §2.3, §3.3.2 steps 5e to 5i). */
export const proofVariants: readonly Variant[] = [
  {
    id: 'V-RS-htu-absolute',
    difference: 'understands htu only as an absolute URI (AMB-26)',
    variant: () =>
      withRules({ matchesTarget: (htu, request) => !htu.startsWith('/') && matchesTarget(htu, request) }),
  },
  {
    id: 'V-RS-htu-path',
    difference: 'understands htu only as a path (AMB-26)',
    variant: () =>
      withRules({ matchesTarget: (htu, request) => htu.startsWith('/') && matchesTarget(htu, request) }),
  },
  {
    id: 'V-RS-long-proofs',
    difference: 'takes proofs of any length that a header section has room for',
    variant: () => withRules({ parse: (compact) => parseProof(compact, Number.POSITIVE_INFINITY) }),
  },
  {
    id: 'V-RS-iat-strict',
    difference: 'takes proofs that are at most 30 seconds old',
    variant: () => withRules({ pastSeconds: 30 }),
  },
  {
    id: 'V-RS-iat-wide',
    difference: 'takes proofs that are up to 10 minutes old',
    variant: () => withRules({ pastSeconds: 600 }),
  },
  {
    id: 'V-RS-integer-times',
    difference:
      'reads numbers of a proof into 64-bit integers, and takes a proof with any other number for unreadable',
    variant: () => withRules({ parse: parseIntegers }),
  },
  {
    id: 'V-RS-x5c-compared',
    difference: 'refuses a proof with x5c of another certificate than that of the connection',
    variant: () =>
      withChecks(
        defaultChecks.with('critical', (proof, subject, rules) => {
          const { x5c } = proof.header;
          const [first]: unknown[] = Array.isArray(x5c) ? x5c : [];
          const others =
            x5c !== undefined &&
            (typeof first !== 'string' ||
              thumbprint(Buffer.from(first, 'base64')) !== subject.certificate.thumbprint);
          return others
            ? defectOf('wrong-thumbprint', 'form', 'x5c', 'x5c is of another certificate')
            : defaultChecks.get('critical').run(proof, subject, rules);
        }),
      ),
  },
  {
    id: 'V-RS-type-variations',
    difference: 'takes typ in any letter case, and with the prefix application/ (RFC 7515 §4.1.9)',
    variant: () =>
      withChecks(
        defaultChecks.with('type', ({ header }) => {
          const type = header[HEADER.type];
          const short =
            typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : undefined;
          if (short === PROOF_TYPE.toLowerCase()) return undefined;
          return defectOf('wrong-type', 'form', HEADER.type, 'typ is another one');
        }),
      ),
  },
  {
    id: 'V-RS-type-parameters',
    difference: 'takes typ for a media type, and leaves its parameters out of account (AMB-11)',
    variant: () =>
      withChecks(
        defaultChecks.with('type', ({ header }) => {
          const type = header[HEADER.type];
          if (typeof type === 'string' && type.replace(/;.*$/s, '') === PROOF_TYPE) return undefined;
          return defectOf('wrong-type', 'form', HEADER.type, 'typ is another one');
        }),
      ),
  },
  {
    id: 'V-RS-octets-compared',
    difference: 'decodes ekm and ath before it compares them, padded or not',
    variant: () => withRules({ same: sameOctets }),
  },
  {
    id: 'V-RS-no-expiry',
    difference: 'gives exp and nbf of a proof no meaning, as the draft does not',
    variant: () => withChecks(defaultChecks.without('expiry').without('not-before')),
  },
  {
    id: 'V-RS-identical-fields',
    difference: 'takes several proof fields that say the same for one',
    variant: () => ({ parts: () => ({ proofsOf: (request) => [...new Set(proofsOf(request))] }) }),
  },
];
