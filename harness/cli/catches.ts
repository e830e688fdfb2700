import { fileURLToPath } from 'node:url';
import type { Report, Resemblance } from '../../reports/model.ts';
import { SCENARIOS } from '../../suites/scenarios.ts';
import { fingerprint } from '../mutants/fingerprint.ts';
import type { Suspect } from '../mutants/fingerprint.ts';
import { readKill, readKillSets } from '../mutants/kill-sets.ts';
import type { KillSets } from '../mutants/kill-sets.ts';
import { readMistakes } from '../mutants/mistakes.ts';
import type { Mistake } from '../mutants/mistakes.ts';
import { parsePermutation } from '../scenario/permutation.ts';
import type { ResultRecord } from '../scenario/record.ts';

/** The role that there are mutants of. */
export const ROLE = 'resource-server';
/** What the suite has to find on each mutant and variant. */
export const KILL_SETS = fileURLToPath(new URL(`../../suites/kill-sets/${ROLE}.json`, import.meta.url));
/** What the mutants and variants are, in words. */
export const MISTAKES = fileURLToPath(new URL('../../suites/kill-sets/mutants.json', import.meta.url));

/** What the suite is known to catch, read from the files of its self-check. */
export interface Known {
  readonly killSets: KillSets;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads both files: a few milliseconds, where the mutants themselves would take hundreds to load.
 *
 * @throws {UsageError} when one cannot be read
 */
export async function readKnown(): Promise<Known> {
  const [killSets, mistakes] = await Promise.all([readKillSets(KILL_SETS), readMistakes(MISTAKES)]);
  return { killSets, mistakes };
}

/** The report's parts that say what the suite would catch, and what it leaves alone. */
export function toldOf({ killSets, mistakes }: Known): Required<Pick<Report, 'catches' | 'harmless'>> {
  return {
    catches: mistakes.flatMap(({ id, form, what, breaks }) => {
      const scenarios = killSets[id];
      return form === 'mutant' && scenarios !== undefined ? [{ id, mistake: what, breaks, scenarios }] : [];
    }),
    harmless: mistakes
      .filter(({ form }) => form === 'variant')
      .map(({ id, what }) => ({ id, difference: what })),
  };
}

/**
 * The known mistakes that a target's failures are like.
 *
 * @param results of that target
 * @param strict whether the run took warnings for failures
 */
export function resemblancesOf(
  results: readonly ResultRecord[],
  { killSets, mistakes }: Known,
  strict: boolean,
): readonly Resemblance[] {
  const counts = (verdict: string): boolean => verdict === 'fail' || (strict && verdict === 'warn');
  const suspects = mistakes
    .filter(({ form }) => form === 'mutant')
    .map(({ id, what, also }): Suspect => ({
      mutant: id,
      mistake: what,
      also: also.map(parsePermutation).filter((one) => one !== undefined),
      failing: (killSets[id] ?? [])
        .map(readKill)
        .filter(({ verdict }) => counts(verdict))
        .map(({ scenario }) => scenario),
    }));
  return fingerprint(results, suspects, new Map(SCENARIOS.map(({ id, across }) => [id, across])));
}
