import { permutations, permutationText } from '../scenario/permutation.ts';
import type { Permutation, Role } from '../scenario/record.ts';
import { requirementIdOf } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { UsageError } from '../usage-error.ts';
import { nearMiss } from '../target/near-miss.ts';
import type { Case } from './plan.ts';

/** What the user chose to run. Empty lists choose everything. */
export interface Selection {
  readonly role: Role | null;
  readonly suites: readonly string[];
  /** Globs over scenario ids: `*` stands for any characters, `?` for one. */
  readonly scenarios: readonly string[];
  readonly requirements: readonly string[];
  readonly profile: 'core' | 'full';
  readonly strict: boolean;
  /** Only this permutation, whatever the profile. */
  readonly permutation: Permutation | null;
}

/** Every scenario, in the core profile: what is run when the user chooses nothing. */
export const WHOLE_CORE: Selection = {
  role: null,
  suites: [],
  scenarios: [],
  requirements: [],
  profile: 'core',
  strict: false,
  permutation: null,
};

/**
 * The scenarios that a selection chooses.
 *
 * @throws {UsageError} when any part of it matches nothing: a filter that selects nothing is a mistake, not a pass
 */
export function select(all: readonly Scenario[], selection: Selection): readonly Scenario[] {
  const suites = [...new Set(all.map((scenario) => scenario.suite))];
  for (const suite of selection.suites) {
    if (!suites.includes(suite)) throw nothing('--suite', suite, suites);
  }
  const requirements = [...new Set(all.map((scenario) => requirementIdOf(scenario.id)))];
  for (const id of selection.requirements) {
    if (!requirements.includes(id)) throw nothing('--requirement', id, requirements);
  }
  const globs = selection.scenarios.map((glob) => ({ glob, pattern: patternOf(glob) }));
  for (const { glob, pattern } of globs) {
    if (!all.some((scenario) => pattern.test(scenario.id)))
      throw nothing(
        '--scenario',
        glob,
        all.map((scenario) => scenario.id),
      );
  }
  const chosen = all.filter(
    (scenario) =>
      (selection.role === null || scenario.role === selection.role) &&
      (selection.suites.length === 0 || selection.suites.includes(scenario.suite)) &&
      (selection.requirements.length === 0 ||
        selection.requirements.includes(requirementIdOf(scenario.id))) &&
      (globs.length === 0 || globs.some(({ pattern }) => pattern.test(scenario.id))),
  );
  if (chosen.length === 0) {
    throw new UsageError(
      'selection',
      'no scenario matches all of --role, --suite, --requirement and --scenario together',
      'Leave one of them out, or see `tsbt list scenarios`.',
    );
  }
  return chosen;
}

/**
 * The cases of the chosen scenarios: each under each permutation that the profile asks for, those that wait first.
 *
 * @param capabilities what the target claims
 */
export function casesOf(
  chosen: readonly Scenario[],
  selection: Selection,
  capabilities?: readonly string[],
): readonly Case[] {
  const claimed = capabilities === undefined ? undefined : new Set(capabilities);
  const order = [
    ...chosen.filter((scenario) => scenario.waits),
    ...chosen.filter((scenario) => !scenario.waits),
  ];
  return order.flatMap((scenario) => {
    const profile = selection.permutation === null ? selection.profile : 'full';
    const wanted = permutations(scenario.across, profile, claimed);
    const kept =
      selection.permutation === null
        ? wanted
        : wanted.filter((one) => permutationText(one) === permutationText(selection.permutation ?? one));
    return kept.map((permutation) => ({ scenario: scenario.id, permutation }));
  });
}

function nothing(option: string, value: string, known: readonly string[]): UsageError {
  const near = nearMiss(value, known);
  return new UsageError(
    option,
    `${JSON.stringify(value)} matches nothing`,
    near === undefined ? 'See `tsbt list scenarios`.' : `Did you mean ${near}? See \`tsbt list scenarios\`.`,
  );
}

function patternOf(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`);
}
