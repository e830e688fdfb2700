import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import type { ClientStage, Proven } from '../../harness/scenario/client/client-stage.ts';
import type { Aspect } from '../../harness/scenario/client/defect.ts';

/**
 * A right request, and the same once more on what is then an old connection: for scenarios about later requests, so
 * that what a client never proves is not held against what happened in between.
 *
 * @returns the second one
 */
export async function twice(
  stage: ClientStage,
  aspects: readonly Aspect[],
  what: string,
  plan: AgentPlan = {},
): Promise<Proven> {
  const { token } = await stage.control(aspects, what, plan);
  return stage.control(aspects, `${what}, once more`, { ...plan, token });
}

/** Shows a request beside its control, with what is wrong with its proof in these aspects. Judges nothing. */
export function beside(
  stage: ClientStage,
  what: string,
  control: Arrival,
  arrival: Arrival,
  aspects: readonly Aspect[],
): void {
  const wrong = arrival.defects.filter(({ aspect }) => aspects.includes(aspect)).map((defect) => defect.what);
  if (arrival.proofs.length !== 1) wrong.unshift(`${arrival.proofs.length} proofs`);
  const observed = wrong.join('; ') || 'one right proof';
  stage.pair(what, control, arrival, 'one right proof', observed, wrong.length === 0 ? 'pass' : 'fail');
}
