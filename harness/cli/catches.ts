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
import type { EmbeddedRole } from '../target/embedded.ts';

/** The files of the self-check of a role. */
export interface SelfCheckFiles {
  /** What the suite has to find on each mutant and variant. */
  readonly killSets: string;
  /** What the mutants and variants are, in words. */
  readonly mistakes: string;
  /** Scenarios that no mutant can be caught by, with the reasons. */
  readonly unkilled: string;
}

export function selfCheckFilesOf(role: EmbeddedRole): SelfCheckFiles {
  const path = (name: string): string =>
    fileURLToPath(new URL(`../../suites/kill-sets/${role}${name}.json`, import.meta.url));
  return { killSets: path(''), mistakes: path('.mistakes'), unkilled: path('.unkilled') };
}

/** What the suite is known to catch, read from the files of its self-check. */
export interface Known {
  readonly killSets: KillSets;
  readonly mistakes: readonly Mistake[];
}

/**
 * Reads what is known of the mutants of a role: a few milliseconds, where the mutants themselves would take hundreds to
 * load.
 *
 * @throws {UsageError} when a file cannot be read
 */
export async function readKnown(role: EmbeddedRole): Promise<Known> {
  const files = selfCheckFilesOf(role);
  const [killSets, mistakes] = await Promise.all([
    readKillSets(files.killSets),
    readMistakes(files.mistakes),
  ]);
  return { killSets, mistakes };
}

/** The report's parts that say what the suite would catch, and what it leaves alone. */
export function toldOf(known: readonly Known[]): Required<Pick<Report, 'catches' | 'harmless'>> {
  return {
    catches: known.flatMap(({ killSets, mistakes }) =>
      mistakes.flatMap(({ id, form, what, breaks }) => {
        const scenarios = killSets[id];
        return form === 'mutant' && scenarios !== undefined ? [{ id, mistake: what, breaks, scenarios }] : [];
      }),
    ),
    harmless: known.flatMap(({ mistakes }) =>
      mistakes.filter(({ form }) => form === 'variant').map(({ id, what }) => ({ id, difference: what })),
    ),
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
