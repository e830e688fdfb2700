import { randomUUID } from 'node:crypto';
import { deepNesting, literalMember } from '../../harness/forge/json-text.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { ProofPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { tied } from './per-request-claims.ts';
import { payload, survivesOne } from './survival.ts';

/** draft -06 §2.3.2, §3.5: rightly signed proofs, well-formed as JSON, whose content trips up what reads it further. */

const CLAIM_NOT_CAUGHT =
  'An error while a claim is compared, parsed or stored is not caught: text beyond ASCII, half a surrogate pair or NUL is an error to some comparisons and databases, and what is no URI to a URI parser. Such a claim does not match: answer 401 invalid_proof.';
const TOO_DEEP =
  'JSON is read, copied or printed by recursion without a bound on its depth, and the stack overflows. Bound the length or the depth of what is read, and take the overflow for a proof that cannot be read: answer 401 invalid_proof.';

const LETTERS = 'é'.repeat(43);
const HALF_PAIRS = '\ud800'.repeat(43);

/** Values of claims that are strings, and as long as right ones where a length is looked at first. */
const TEXTS: readonly (readonly [what: string, claims: Readonly<Record<string, string>>])[] = [
  ['ekm of 43 letters beyond ASCII', { ekm: LETTERS }],
  ['ath of 43 letters beyond ASCII', { ath: LETTERS }],
  ['ekm of halves of surrogate pairs', { ekm: HALF_PAIRS }],
  ['ath of halves of surrogate pairs', { ath: HALF_PAIRS }],
  ['htm beyond ASCII', { htm: 'GÉT' }],
  ['htm that is half a surrogate pair', { htm: '\ud800' }],
  ['htu beyond ASCII', { htu: 'https://é/é' }],
  ['htu that is half a surrogate pair', { htu: '\ud800' }],
  ...['https://[', 'https://', 'https://%', 'https://a:99999999/', '//', ':'].map(
    (htu) => [`htu that is no URI, ${htu}`, { htu }] as const,
  ),
];

/** Beginnings of identifiers that a server may take or leave. */
const IDENTIFIERS = {
  'letters beyond ASCII': 'é',
  'half a surrogate pair': '\ud800',
  'a NUL': '\0',
} as const;

function oddClaims(stage: Stage): readonly (readonly [what: string, proof: ProofPlan])[] {
  const all = [
    ...TEXTS.map(([what, claims]) => [what, { claims }] as const),
    ...Object.entries(IDENTIFIERS).map(
      ([what, start]) => [`jti with ${what}`, identifiedBy(start + randomUUID())] as const,
    ),
  ];
  return all.map(([what, odd]) => {
    const { proof } = combine(tied(stage), { proof: odd });
    return [what, typeof proof === 'object' && proof !== null && 'claims' in proof ? proof : odd];
  });
}

function identifiedBy(jti: string): ProofPlan {
  return payload((right) => JSON.stringify({ ...JSON.parse(right), jti }));
}

/** A proof with a further claim that nests deeply, and one of the same length that does not. */
interface Depth {
  readonly what: string;
  readonly nested: ProofPlan;
  readonly flat: ProofPlan;
}

function depths(full: boolean): readonly Depth[] {
  return (full ? [5000, 20_000] : [5000]).flatMap((depth) => {
    const flat = payload(literalMember('x', `"${'A'.repeat(2 * depth - 2)}"`));
    const opened = 2 * depth - 2;
    return [
      { what: `arrays nested ${depth.toLocaleString('en')} deep`, nested: payload(deepNesting(depth)), flat },
      {
        what: `${opened.toLocaleString('en')} arrays that are opened and not closed`,
        nested: payload(literalMember('x', '['.repeat(opened))),
        flat,
      },
    ];
  });
}

export const hostileClaims = suite('resource-server', 'hostile-claims', [
  {
    id: 'RS-PL-17.claims',
    title: 'answers a proof whose claims hold unusual text in an orderly way and goes on serving',
    cause: CLAIM_NOT_CAUGHT,
    across: { http: AXES.http },
    async run(stage) {
      await stage.control('a right request with per-request claims', tied(stage));
      for (const [what, proof] of oddClaims(stage)) {
        // Whether such a claim counts as right is judged by RS-EKM-2, RS-PL-6, RS-PL-10 and RS-PL-11.
        const goesOn = await survivesOne(
          stage,
          `a proof with ${what}`,
          { proof },
          ['served'],
          CLAIM_NOT_CAUGHT,
        );
        if (!goesOn) return;
      }
    },
  },
  {
    id: 'RS-PL-17.depth',
    title: 'answers a proof with deeply nested JSON in an orderly way and goes on serving',
    cause: TOO_DEEP,
    across: { http: AXES.http },
    async run(stage) {
      await stage.control();
      for (const { what, nested, flat } of depths(stage.full)) {
        const long = await stage.send(`a proof as long as one with ${what}`, { proof: flat }, {}, 'control');
        // Too long for this target anyhow: then how it refuses so long a head is its own business.
        const may = long.reading.kind === 'cut' ? (['served', 'cut'] as const) : (['served'] as const);
        if (!(await survivesOne(stage, `a proof with ${what}`, { proof: nested }, may, TOO_DEEP))) return;
      }
    },
  },
]);
