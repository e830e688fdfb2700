import type { ResultRecord, Verdict } from '../harness/scenario/record.ts';
import { VERDICTS } from '../harness/scenario/record.ts';
import type { Counts, Report, TargetSummary } from './model.ts';

/** The value of `schema` in `report.json` and in the stream's header. */
export const REPORT_SCHEMA = 'https://tls-session-binding-conformance.invalid/report/1';

/** How many results have each verdict; a verdict nobody has counts 0. */
export function countVerdicts(results: readonly Pick<ResultRecord, 'verdict'>[]): Counts {
  const counts: Record<Verdict, number> = {
    fail: 0,
    inconclusive: 0,
    warn: 0,
    info: 0,
    'not-applicable': 0,
    pass: 0,
  };
  for (const { verdict } of results) counts[verdict] += 1;
  return counts;
}

/**
 * Verdict counts by target name. Every target has its entry, also one without results; a result of a
 * target that is not listed is counted under its own name rather than lost.
 */
export function summarise(
  results: readonly ResultRecord[],
  targets: readonly Pick<TargetSummary, 'name'>[],
): Report['summary'] {
  const names = new Set([...targets.map((target) => target.name), ...results.map((result) => result.target)]);
  return Object.fromEntries(
    [...names].map((name) => [name, countVerdicts(results.filter((result) => result.target === name))]),
  );
}

/** Handshakes and requests that the results' evidence shows: what the wire itself had to do. */
export function measureEvidence(results: readonly ResultRecord[]): { handshakes: number; requests: number } {
  return {
    handshakes: results.reduce((sum, { evidence }) => sum + evidence.connections.length, 0),
    requests: results.reduce((sum, { evidence }) => sum + evidence.exchanges.length, 0),
  };
}

/** Everything of a report but what follows from the rest. */
export type ReportParts = Omit<Report, 'schema' | 'summary'>;

/** Puts a report together. Results are taken as they are, in their order: nothing is rewritten here. */
export function assembleReport(parts: ReportParts): Report {
  return { schema: REPORT_SCHEMA, ...parts, summary: summarise(parts.results, parts.targets) };
}

/** The gravest of some verdicts (`fail` first, `pass` last); `pass` for none. */
export function worstVerdict(verdicts: Iterable<Verdict>): Verdict {
  const seen = new Set(verdicts);
  return VERDICTS.find((verdict) => seen.has(verdict)) ?? 'pass';
}

/** All results of one scenario on one target: one for each permutation, gravest first. */
export interface ScenarioGroup {
  readonly target: string;
  readonly suite: string;
  readonly scenario: string;
  readonly requirement: string;
  readonly verdict: Verdict;
  /** Never empty. */
  readonly results: readonly [ResultRecord, ...ResultRecord[]];
}

/** Groups results by target and scenario, in the order in which they first appear. */
export function groupByScenario(results: readonly ResultRecord[]): readonly ScenarioGroup[] {
  const groups = new Map<string, [ResultRecord, ...ResultRecord[]]>();
  for (const result of results) {
    const key = `${result.target}\n${result.scenario}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [result]);
    else group.push(result);
  }
  return [...groups.values()].map((members) => {
    members.sort((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict));
    const [{ target, suite, scenario, requirement, verdict }] = members;
    return { target, suite, scenario, requirement, verdict, results: members };
  });
}
