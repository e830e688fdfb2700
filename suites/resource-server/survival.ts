import type { TextMaker } from '../../harness/forge/json-text.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { ProofPlan, RequestPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { ConnectFailure } from '../../harness/wire/connection.ts';

/** Proofs that a target has to get over: told by what they are, with how they differ from the right one. */
export type Oddities = readonly (readonly [what: string, proof: ProofPlan])[];

export const NOT_CAUGHT =
  'An error while the proof is taken apart is not caught. Whatever goes wrong there means that there is no valid proof: answer 401 invalid_proof.';
const UNREADABLE =
  'A proof that cannot be read, or lacks its claims, counts as verified. Refuse what does not parse as a whole (RFC 7515 §5.2, RFC 7519 §7.2), and demand each claim with its type.';

/** The field's value as it is, or made from the right one. */
export function compact(text: string | ((right: string) => string)): ProofPlan {
  return { compact: typeof text === 'string' ? () => text : text };
}

/** The payload's text as it is, or made from the right one; signed. */
export function payload(text: string | TextMaker): ProofPlan {
  return { payloadText: typeof text === 'string' ? () => text : text };
}

/** The header's text as it is, or made from the right one; signed. */
export function header(text: string | TextMaker): ProofPlan {
  return { headerText: typeof text === 'string' ? () => text : text };
}

/** Sends an odd request; on HTTP/2 beside a right one on the same connection, which must not suffer. */
async function besideARightOne(stage: Stage, what: string, plan: RequestPlan): Promise<Exchange> {
  if (stage.permutation.http !== 'h2') return stage.send(what, plan, {}, 'variant', 'an orderly answer');
  const [odd, right] = await Promise.all([
    stage.send(what, plan, {}, 'variant', 'an orderly answer'),
    stage.send(`the right request beside ${what}`, {}, {}, 'control', 'served'),
  ]);
  if (!right.served) await stage.blames(`the right request beside ${what}`, right);
  stage.holds(
    right.served,
    `${what}: the right request in the stream beside it was answered ${right.reading.text}`,
  );
  return odd;
}

/**
 * Sends each odd proof; judged: the answer is an orderly one, and the target goes on serving.
 *
 * @param may what else is in order than a refusal
 * @param cause what a disorderly answer means, other than `served`
 */
export async function survives(
  stage: Stage,
  oddities: Oddities,
  may: readonly ('served' | 'cut')[] = [],
  cause = NOT_CAUGHT,
): Promise<void> {
  await stage.control();
  for (const [what, proof] of oddities) {
    if (!(await survivesOne(stage, `a proof that is ${what}`, { proof }, may, cause))) return;
  }
}

/**
 * Sends an odd request; judged as in {@link survives}.
 *
 * @returns false where the target does not let anybody connect any more
 */
export async function survivesOne(
  stage: Stage,
  what: string,
  plan: RequestPlan,
  may: readonly ('served' | 'cut')[],
  cause: string,
): Promise<boolean> {
  try {
    const { reading } = await besideARightOne(stage, what, plan);
    const orderly = reading.kind === 'refused' || may.some((each) => each === reading.kind);
    stage.holds(orderly, `${what}: ${reading.text}`, meaningOf(reading, cause));
    const after = await stage.send(`the right request after ${what}`, {}, {}, 'request', 'served');
    if (!after.served) await stage.blames(`the right request after ${what}`, after);
    // Refused in good order: then it goes on working, and what it has against a valid request is another matter.
    const meant = after.reading.kind === 'refused' ? null : cause;
    stage.holds(after.served, `after ${what} the right request is answered ${after.reading.text}`, meant);
    return true;
  } catch (error) {
    if (!(error instanceof ConnectFailure)) throw error;
    stage.holds(false, `after ${what} no connection can be made: ${error.message}`, cause);
    return false;
  }
}

/** What an answer means that is not orderly; that there is none at all may have any reason. */
function meaningOf({ kind }: Exchange['reading'], cause: string): string | null {
  if (kind === 'no-answer') return null;
  return kind === 'served' ? UNREADABLE : cause;
}
