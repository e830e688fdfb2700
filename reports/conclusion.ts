import { countVerdicts, groupByScenario, type ScenarioGroup } from './assemble.ts';
import type { Counts, Report, TargetSummary } from './model.ts';

/** What a run says of a target as a whole. */
export type Conclusion = 'conformant' | 'not-conformant' | 'inconclusive';

export interface TargetConclusion {
  readonly target: TargetSummary;
  readonly conclusion: Conclusion;
  /** The conclusion as a headline. */
  readonly headline: string;
  /** One sentence: why. */
  readonly because: string;
  readonly counts: Counts;
  /** Scenarios by name, each with its permutations. */
  readonly groups: readonly ScenarioGroup[];
  /** Failing scenarios that the baseline lists, with its reason. They still count as broken. */
  readonly known: readonly { readonly scenario: string; readonly reason: string }[];
}

const some = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function isPartial({ selection }: Report): boolean {
  return selection.suites.length + selection.scenarios.length + selection.requirements.length > 0;
}

/**
 * What the results of one target add up to. Known failures are failures here: a baseline keeps a build
 * going, it does not make an implementation conformant. A run that judged nothing, could not measure
 * something or was cut short is never called conformant.
 */
function concludeTarget(report: Report, target: TargetSummary): TargetConclusion {
  const results = report.results.filter((result) => result.target === target.name);
  const counts = countVerdicts(results);
  const groups = groupByScenario(results);
  const failing = groups.filter((group) => group.verdict === 'fail');
  const known = failing.flatMap(({ scenario }) => {
    const reason = target.knownFailures[scenario];
    return reason === undefined ? [] : [{ scenario, reason }];
  });
  const base = { target, counts, groups, known };
  const inTotal = some(groups.length, 'scenario');

  if (failing.length > 0) {
    const listed =
      known.length === 0
        ? ''
        : known.length === failing.length
          ? ' All are listed as known failures.'
          : ` ${known.length} of them ${known.length === 1 ? 'is' : 'are'} listed as known.`;
    const because = `${failing.length} of ${inTotal} ${failing.length === 1 ? 'shows' : 'show'} a broken requirement.${listed}`;
    return { ...base, conclusion: 'not-conformant', headline: 'Not conformant', because };
  }
  if (target.problem !== undefined)
    return { ...base, conclusion: 'inconclusive', headline: 'Not run', because: target.problem };
  if (report.selection.strict && counts.warn > 0)
    return {
      ...base,
      conclusion: 'not-conformant',
      headline: 'Not conformant (strict)',
      because: `${some(counts.warn, 'recommendation')} not followed, and this run is strict.`,
    };
  if (counts.pass + counts.warn + counts.info === 0 && counts.inconclusive === 0)
    return {
      ...base,
      conclusion: 'inconclusive',
      headline: 'Inconclusive',
      because:
        groups.length === 0
          ? 'No scenario was run.'
          : 'No scenario applied to this target, so nothing was judged.',
    };
  if (counts.inconclusive > 0)
    return {
      ...base,
      conclusion: 'inconclusive',
      headline: 'Inconclusive',
      because: `No broken requirement was seen, but ${some(counts.inconclusive, 'result')} of ${inTotal} could not be judged.`,
    };
  if (!report.complete)
    return {
      ...base,
      conclusion: 'inconclusive',
      headline: 'Inconclusive',
      because: 'No broken requirement was seen, but the run is incomplete.',
    };
  const warned = counts.warn === 0 ? '' : ` ${some(counts.warn, 'recommendation')} not followed.`;
  return {
    ...base,
    conclusion: 'conformant',
    headline: isPartial(report) ? 'Conformant, in the selected part' : 'Conformant',
    because: `No broken requirement in ${inTotal}.${warned}`,
  };
}

/** The conclusion for each target of a report, in the report's order. */
export function concludeTargets(report: Report): readonly TargetConclusion[] {
  return report.targets.map((target) => concludeTarget(report, target));
}
