import type { Deviation } from '../harness/scenario/record.ts';
import { VERDICTS } from '../harness/scenario/record.ts';
import type { ScenarioGroup } from './assemble.ts';
import type { TargetConclusion } from './conclusion.ts';
import type { Catch } from './model.ts';

/** What a reader sees as one: a scenario that fails or could not be judged, and those that follow from the same. */
export interface Entry {
  readonly lead: ScenarioGroup;
  /** Further scenarios with the same cause, or that could not be judged for the same reason. */
  readonly also: readonly ScenarioGroup[];
}

/** What lets somebody in who must not be: told before anything else. */
const SERVED: readonly Deviation[] = ['served', 'attack'];

/** From so many scenarios on, one mistake behind all of them comes before what is special. */
const BROAD = 3;

/**
 * The failures of a target and what could not be judged, as they are to be read: new ones before known ones, and among
 * these invalid requests that were served before the rest; first the mistake behind many failures, then the most
 * specific one, which is the one that the fewest known mistakes fail.
 *
 * @param catches which scenarios fail on which known mistake; without them the catalogue's order decides
 */
export function entriesOf(conclusion: TargetConclusion, catches: readonly Catch[] = []): readonly Entry[] {
  const { groups, target } = conclusion;
  const grave = groups.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive');
  const caught = new Map<string, number>();
  for (const scenario of catches.flatMap(({ scenarios }) => scenarios))
    caught.set(scenario, (caught.get(scenario) ?? 0) + 1);
  const order = new Map(grave.map((group, index) => [group, index]));
  const rank = ({ lead, also }: Entry): readonly number[] => [
    VERDICTS.indexOf(lead.verdict),
    lead.scenario in target.knownFailures ? 1 : 0,
    isServed(lead) ? 0 : 1,
    also.length + 1 >= BROAD ? -also.length : 0,
    caught.get(lead.scenario) ?? (caught.size === 0 ? 0 : Infinity),
    order.get(lead) ?? 0,
  ];
  return together(grave, target.knownFailures)
    .map((entry) => ({ entry, rank: rank(entry) }))
    .toSorted((a, b) => compare(a.rank, b.rank))
    .map(({ entry }) => entry);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  // Not their difference: both may be infinite.
  return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}

/** Whether an invalid request was served. */
function isServed({ results: [worst] }: Pick<ScenarioGroup, 'results'>): boolean {
  return (worst.findings ?? []).some(({ deviation }) => deviation !== null && SERVED.includes(deviation));
}

/** Groups what has the same cause, or could not be judged for the same reason. */
function together(
  grave: readonly ScenarioGroup[],
  known: Readonly<Record<string, string>>,
): readonly Entry[] {
  const byKey = Map.groupBy(grave, (group) => keyOf(group, group.scenario in known));
  return [...byKey.values()].flatMap((members) => {
    const lead = leadOf(members);
    return lead === undefined ? [] : [{ lead, also: members.filter((member) => member !== lead) }];
  });
}

/** The one that the cause refers to, or else the first. */
function leadOf(members: readonly ScenarioGroup[]): ScenarioGroup | undefined {
  const cause = members[0]?.results[0].cause ?? '';
  return members.find(({ scenario }) => cause.includes(`see ${scenario})`)) ?? members[0];
}

function keyOf({ scenario, verdict, results: [worst] }: ScenarioGroup, known: boolean): string {
  const { attribution, cause, findings = [], reason } = worst;
  const explained = findings.every((finding) => finding.cause !== null);
  // In whatever order a scenario has found several causes; what has none stands for itself.
  if (verdict === 'fail')
    return cause === null || !explained
      ? scenario
      : `fail ${known} ${isServed({ results: [worst] })} ${cause.split('\n').toSorted().join('\n')}`;
  return `${attribution} ${impersonal(reason ?? scenario)}`;
}

/** A reason without what was sent: that a valid request is rejected is one matter, whatever it was sent for. */
function impersonal(reason: string): string {
  return reason.replaceAll(/"[^"]*"/g, '"…"');
}
