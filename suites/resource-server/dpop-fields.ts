import { AXES } from '../../harness/scenario/permutation.ts';
import type { DpopPlan, RequestPlan, TokenPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { doublyBound, keyBound, KEY_ALONE, REFUSED, schemesFor } from './dpop-bound.ts';

/** RFC 9449 §4.3 items 1 and 2: one DPoP field, and one JWT in it. */

const FIRST_COUNTS =
  'Of several DPoP fields the first one is verified and the others are ignored, while another part of the system may read another one. Refuse a request with more than one DPoP field (RFC 9449 §4.3 item 1).';
const LAST_COUNTS =
  'Of several DPoP fields the last one is verified and the others are ignored, while another part of the system may read another one. Refuse a request with more than one DPoP field (RFC 9449 §4.3 item 1).';
const ANY_COUNTS =
  'Of several DPoP fields any one that is valid will do. Refuse a request with more than one DPoP field (RFC 9449 §4.3 item 1).';
const NOT_COUNTED =
  'DPoP fields are not counted: several are accepted as long as each is valid, or says the same. Refuse a request with more than one DPoP field (RFC 9449 §4.3 item 1).';
const SPLIT =
  'The value of the DPoP field is split at commas, as a list, and a part of it is verified. It is one JWT: refuse any other value (RFC 9449 §4.3 item 2).';

/** Who made a proof: the rightful client, somebody else, or the rightful client once more with the same text. */
type Proof = 'valid' | "by another's key" | 'the same';

interface Row {
  readonly proofs: readonly [Proof, Proof];
  readonly joined: boolean;
  readonly cause: string;
}

const FOREIGN = "by another's key";

const ROWS: readonly Row[] = [
  { proofs: ['valid', FOREIGN], joined: false, cause: FIRST_COUNTS },
  { proofs: [FOREIGN, 'valid'], joined: false, cause: LAST_COUNTS },
  { proofs: ['valid', 'valid'], joined: false, cause: NOT_COUNTED },
  { proofs: ['valid', 'the same'], joined: false, cause: NOT_COUNTED },
  { proofs: ['valid', FOREIGN], joined: true, cause: SPLIT },
  { proofs: [FOREIGN, 'valid'], joined: true, cause: SPLIT },
  { proofs: ['valid', 'valid'], joined: true, cause: SPLIT },
];

/** The request with two DPoP proofs for a token of its own. */
async function twice(stage: Stage, content: TokenPlan, { proofs, joined }: Row): Promise<RequestPlan> {
  const token = await stage.mint({ ...content, jkt: stage.dpopKey });
  const plans: Readonly<Record<Exclude<Proof, 'the same'>, DpopPlan>> = {
    valid: {},
    [FOREIGN]: { by: stage.otherDpopKey },
  };
  const made: string[] = [];
  for (const proof of proofs)
    made.push(proof === 'the same' ? (made[0] ?? '') : stage.dpopProof(token, plans[proof]));
  return { token, dpop: joined ? made.join(', ') : made };
}

/** Judges each row for tokens of this content; what accounts for a row that was served accounts for later ones too. */
async function refusesSeveral(
  stage: Stage,
  kind: string,
  content: TokenPlan,
  base: RequestPlan,
): Promise<void> {
  const control = await stage.control(`${kind}, one DPoP proof`, base);
  let known: string | undefined;
  for (const row of ROWS) {
    const cause = known === FIRST_COUNTS && row.cause === LAST_COUNTS ? ANY_COUNTS : (known ?? row.cause);
    const tried = await stage.refusesOne(
      REFUSED,
      {
        what: `${kind}, ${row.joined ? 'one DPoP field that joins two proofs with a comma' : 'two DPoP fields'}: ${row.proofs.join(', then ')}`,
        change: await twice(stage, content, row),
        differs: ['dpop'],
        cause,
      },
      control,
      base,
    );
    if ('outcome' in tried && tried.served) known = cause;
  }
  await stage.control(`${kind}, one DPoP proof again`, base);
}

export const dpopFields = suite('resource-server', 'dpop-fields', [
  {
    id: 'RS-DPOP-8',
    title:
      'rejects a request with more than one DPoP field, or more than one proof in it, even where all are valid',
    across: { http: AXES.http },
    capabilities: ['dpop'],
    cause: NOT_COUNTED,
    async run(stage) {
      await refusesSeveral(stage, 'a token bound in both ways', {}, await doublyBound(stage));
      if (!stage.full) return;
      const [scheme] = await schemesFor(stage, KEY_ALONE, { proof: null });
      if (scheme === undefined)
        return stage.note('tokens that are bound to a DPoP key alone are not served here');
      await refusesSeveral(stage, 'a token bound to a DPoP key alone', KEY_ALONE, {
        ...keyBound(stage, scheme, KEY_ALONE),
        proof: null,
      });
    },
  },
]);
