import { permutationText } from '../scenario/permutation.ts';
import type { ResultRecord, Verdict } from '../scenario/record.ts';
import type { Case } from './plan.ts';

/** Identifies a case among those of one target. */
export function caseText({ scenario, permutation }: Case): string {
  return `${scenario} ${permutationText(permutation)}`;
}

/** What is worth a second look where other scenarios may have had a part in the first. */
const DOUBTFUL: readonly Verdict[] = ['fail', 'warn', 'info'];

/**
 * The results on one target that other scenarios at work may have had a part in: these are played again, alone. So no
 * verdict depends on what else was going on, and the command that repeats one comes to the same.
 */
export function disturbed(results: readonly ResultRecord[]): readonly ResultRecord[] {
  if (!results.some(({ again }) => again)) return [];
  return results.filter(
    ({ again, unanswered, verdict }) => again === true || unanswered === true || DOUBTFUL.includes(verdict),
  );
}

/** Whether a result can be reported at once, whatever others come to. */
export function isSettled({ verdict, again, unanswered }: ResultRecord): boolean {
  return (
    again === undefined && unanswered === undefined && (verdict === 'pass' || verdict === 'not-applicable')
  );
}

/** Whether a second result takes the place of the first: not where the target has ceased to serve anything at all. */
export function isBetter({ verdict, evidence }: ResultRecord): boolean {
  return verdict !== 'inconclusive' || evidence.connections.length > 0;
}

/** A result as it is reported. */
export function settled(result: ResultRecord): ResultRecord {
  const { again, unanswered, proofs, ...rest } = result;
  return again === undefined && unanswered === undefined && proofs === undefined ? result : rest;
}

/** A result that was played again, and says so. */
export function playedAlone(result: ResultRecord): ResultRecord {
  const { evidence, ...rest } = settled(result);
  const notes = [
    'Played once more on its own, after a valid request had been rejected or a connection ended unanswered while other scenarios were under way.',
    ...evidence.notes,
  ];
  return { ...rest, evidence: { ...evidence, notes } };
}
