import { permutations, permutationText } from '../scenario/permutation.ts';
import type { Across } from '../scenario/permutation.ts';
import type { Permutation, ResultRecord } from '../scenario/record.ts';
import { requirementIdOf } from '../scenario/requirement.ts';

/** A mutant as the fingerprint knows it: what its kill set was recorded under, and what failed then. */
export interface Suspect {
  readonly mutant: string;
  readonly mistake: string;
  /** Permutations that were played on it beside the core profile's. */
  readonly also: readonly Permutation[];
  /** Scenarios that fail on it. */
  readonly failing: readonly string[];
}

/** A mutant all of whose scenarios, as far as they were judged, fail on a target, and hardly any others. Plain data. */
export interface Resemblance {
  readonly mutant: string;
  readonly mistake: string;
  /** Jaccard distance of the failing scenarios, among those judged: 0 the same, 1 none in common. Two decimals. */
  readonly distance: number;
  readonly common: readonly string[];
  readonly onlyTarget: readonly string[];
  /** Scenarios that fail on the mutant, and were not judged on the target. */
  readonly unjudged: readonly string[];
}

/**
 * How far apart two sets of failures may be to be called alike: seven of ten in common. Compared with the mutants
 * themselves, each without its own kill set, the nearest within this is a mistake of the same kind in nine of ten cases
 * (`suites/likeness.test.ts`); at two of three in common it often is not.
 */
const CLOSE = 0.3;
/** How many mutants may be equally near. Where several make the very same scenarios fail, they are told apart by nothing. */
const EQUALLY_NEAR = 2;
const EQUALLY_NEAR_IF_SAME = 3;

type Outcome = Pick<ResultRecord, 'scenario' | 'permutation' | 'verdict'>;

interface Likeness extends Resemblance {
  /** Of the `unjudged`, those that were played and came to something else: inconclusive, a warning, an observation. */
  readonly unlike: number;
}

/**
 * The mutants that a target's failures are like: the nearest, where it is near enough to be worth saying, and those
 * exactly as near. Empty for a target that fails nothing, and where the run leaves too many equally near.
 *
 * A mutant is out when a scenario that fails on it passes on the target: whatever that has, it is not this mistake.
 *
 * Only scenarios that passed or failed are compared. A mutant is held against the permutations that its kill set was
 * recorded under, so that a run of the full profile is compared with what it would have shown there.
 *
 * @param outcomes of one target, under whatever permutations
 * @param across the axes that matter to each scenario
 */
export function fingerprint(
  outcomes: readonly Outcome[],
  suspects: readonly Suspect[],
  across: ReadonlyMap<string, Across>,
): readonly Resemblance[] {
  const played = Map.groupBy(outcomes, ({ scenario }) => scenario);
  if (outcomes.every(({ verdict }) => verdict !== 'fail')) return [];
  const vectors = new Map<string, Vector>();
  const vector = (also: readonly Permutation[]): Vector => {
    const key = also.map(permutationText).join();
    const made = vectors.get(key) ?? vectorUnder(also, played, across);
    vectors.set(key, made);
    return made;
  };
  const near = suspects
    .map((suspect) => likeness(suspect, vector(suspect.also)))
    .filter((one) => one !== undefined)
    .filter(({ common }) => common.length > 0)
    .toSorted((a, b) => a.distance - b.distance || a.unlike - b.unlike);
  const [nearest] = near;
  if (nearest === undefined || nearest.distance > CLOSE) return [];
  const group = near.filter((one) => one.distance === nearest.distance && one.unlike === nearest.unlike);
  const limit = nearest.distance === 0 ? EQUALLY_NEAR_IF_SAME : EQUALLY_NEAR;
  // Where one of them is hardly known from this run, it could as well be nearer than the rest, or far off.
  if (group.length > limit || !group.every(isTelling)) return [];
  return group.map(({ unlike: _rank, distance, ...rest }) => ({
    ...rest,
    distance: Math.round(distance * 100) / 100,
  }));
}

/**
 * One broken requirement in common is a coincidence, even where it is all there is to the mutant: that its scenarios fail
 * does not say that they fail in the same way, and most of them try more than one mistake.
 */
function isTelling({ common, unjudged }: Likeness): boolean {
  const requirements = new Set(common.map(requirementIdOf));
  return requirements.size > 1 && common.length >= unjudged.length;
}

/** @returns `undefined` where a scenario that fails on the mutant passes on the target */
function likeness(
  { mutant, mistake, failing }: Suspect,
  { failed, passed, unlike }: Vector,
): Likeness | undefined {
  if (failing.some((scenario) => passed.has(scenario))) return undefined;
  const common = failing.filter((scenario) => failed.has(scenario));
  const onlyTarget = [...failed].filter((scenario) => !failing.includes(scenario));
  const unjudged = failing.filter((scenario) => !failed.has(scenario));
  const union = common.length + onlyTarget.length;
  return {
    mutant,
    mistake,
    distance: union === 0 ? 1 : onlyTarget.length / union,
    common,
    onlyTarget,
    unjudged,
    unlike: unjudged.filter((scenario) => unlike.has(scenario)).length,
  };
}

/** What a target showed under the permutations of a kill set: scenarios by how they came out. */
interface Vector {
  readonly failed: ReadonlySet<string>;
  readonly passed: ReadonlySet<string>;
  /** Inconclusive, a warning, an observation. */
  readonly unlike: ReadonlySet<string>;
}

function vectorUnder(
  also: readonly Permutation[],
  played: ReadonlyMap<string, readonly Outcome[]>,
  across: ReadonlyMap<string, Across>,
): Vector {
  const failed = new Set<string>();
  const passed = new Set<string>();
  const unlike = new Set<string>();
  for (const [scenario, results] of played) {
    const texts = asked(across.get(scenario) ?? {}, also);
    const own = results.filter(({ permutation }) => texts.has(permutationText(permutation)));
    if (own.some(({ verdict }) => verdict === 'fail')) failed.add(scenario);
    else if (own.length === texts.size && own.every(({ verdict }) => verdict === 'pass'))
      passed.add(scenario);
    else if (own.some(({ verdict }) => verdict !== 'pass' && verdict !== 'not-applicable'))
      unlike.add(scenario);
  }
  return { failed, passed, unlike };
}

/** The permutations that a kill set rests on, as texts: the core profile's, and the mutant's own where they matter to the scenario. */
function asked(across: Across, also: readonly Permutation[]): ReadonlySet<string> {
  const core = permutations(across, 'core').map(permutationText);
  if (also.length === 0) return new Set(core);
  const possible = permutations(across, 'full').map(permutationText);
  return new Set([...core, ...also.map(permutationText).filter((text) => possible.includes(text))]);
}
