import type { ResultRecord } from '../scenario/record.ts';

/** 0 conformant · 1 not conformant · 2 usage or configuration · 3 stale baseline · 4 inconclusive, nothing ran, or the harness failed. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

export interface Finished {
  readonly results: readonly ResultRecord[];
  /** How many results there should be. */
  readonly planned: number;
  readonly complete: boolean;
  /** Whether any target could not be started, other than for want of a container engine where none is required. */
  readonly targetMissing: boolean;
  readonly stale: readonly string[];
  /** Whether the failure of this scenario on this target is a known one. */
  readonly known: (target: string, scenario: string) => boolean;
}

/**
 * The exit code of a run. An unknown failure outweighs everything; then what keeps the run from being
 * conclusive; then a baseline that does not fit any more.
 */
export function exitCodeOf(finished: Finished): ExitCode {
  const { results } = finished;
  if (results.some((result) => result.verdict === 'fail' && !finished.known(result.target, result.scenario)))
    return 1;
  const judged = results.some(
    (result) => result.verdict !== 'not-applicable' && result.verdict !== 'inconclusive',
  );
  const inconclusive = results.some((result) => result.verdict === 'inconclusive');
  if (
    !finished.complete ||
    finished.targetMissing ||
    results.length < finished.planned ||
    !judged ||
    inconclusive
  )
    return 4;
  return finished.stale.length > 0 ? 3 : 0;
}
