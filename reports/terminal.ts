import type { Verdict } from '../harness/scenario/record.ts';
import { VERDICTS } from '../harness/scenario/record.ts';
import type { ScenarioGroup } from './assemble.ts';
import { concludeTargets, type Conclusion, type TargetConclusion } from './conclusion.ts';
import { targetTable } from './target-table.ts';
import type { Report, TargetSummary } from './model.ts';
import { reproduceCommand } from './reproduce.ts';
import { clip, visible, visibleLine } from './visible.ts';

export interface TerminalOptions {
  /** Where the reader finds the HTML report. */
  readonly reportPath: string;
  /** Use ANSI colours. Default `false`. */
  readonly colour?: boolean;
  /** How many failing or inconclusive scenarios of a target are told in full. Default 10. */
  readonly limit?: number;
}

type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'magenta', text: string) => string;

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, magenta: 35 } as const;
const MARK: Readonly<Record<Verdict, string>> = {
  fail: '✕',
  inconclusive: '?',
  warn: '!',
  info: 'i',
  'not-applicable': '–',
  pass: '✓',
};
const CONCLUSION: Readonly<Record<Conclusion, 'red' | 'green' | 'magenta'>> = {
  conformant: 'green',
  'not-conformant': 'red',
  inconclusive: 'magenta',
};

/** A text of any origin, clipped and set in behind `label`; a second line cannot pass for a line of ours. */
function told(label: string, value: string): string[] {
  const { text, omitted } = clip(visible(value), 800);
  const [first = '', ...more] = `${text}${omitted > 0 ? ` … (${omitted} characters more)` : ''}`.split('\n');
  return [`      ${label}${first}`, ...more.map((line) => `      | ${line}`)];
}

function problemLines(conclusion: TargetConclusion, group: ScenarioGroup, paint: Paint): string[] {
  const [worst] = group.results;
  const same = group.results.filter(({ verdict }) => verdict === group.verdict).length;
  const where = group.results.length === 1 ? '' : ` (${same} of ${group.results.length} permutations)`;
  const known = conclusion.target.knownFailures[group.scenario];
  const colour = group.verdict === 'fail' ? 'red' : 'magenta';
  return [
    `  ${paint(colour, `${MARK[group.verdict]} ${group.verdict}`)} ${paint('bold', visibleLine(group.scenario))} ${clip(visibleLine(worst.title), 160).text}${where}${known === undefined ? '' : ' (known failure)'}`,
    ...told('', worst.reason ?? 'no reason given'),
    ...(worst.attribution === null || worst.attribution === 'target'
      ? []
      : [`      a matter of the ${worst.attribution}`]),
    ...(worst.cause === null ? [] : told('likely cause: ', worst.cause)),
    paint('dim', `      repeat: ${visibleLine(reproduceCommand(conclusion.target, worst))}`),
  ];
}

/** How many scenarios are named on one line before the rest is only counted. */
const NAMED = 12;

/** Scenarios on one line; the ids of more than a dozen tell nothing. */
function named(scenarios: readonly string[]): string {
  const more = scenarios.length - NAMED;
  return `${scenarios.slice(0, NAMED).map(visibleLine).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What known mistake this looks like, where one is near, and what sets the two apart. */
function likenessLines({ resemblances = [] }: TargetSummary): string[] {
  return resemblances.flatMap(({ mutant, mistake, distance, onlyTarget, unjudged }, index) => [
    `  ${index === 0 ? 'behaves like' : 'or like'} ${visibleLine(mutant)} ${clip(visibleLine(mistake), 160).text} (${distance === 0 ? 'the same failures' : 'nearly the same failures'}, distance ${distance.toFixed(2)})`,
    ...(onlyTarget.length === 0 ? [] : [`    fails here and not with it: ${named(onlyTarget)}`]),
    ...(unjudged.length === 0 ? [] : [`    fails with it, not judged here: ${named(unjudged)}`]),
  ]);
}

function targetLines(conclusion: TargetConclusion, limit: number, paint: Paint): string[] {
  const { target, counts, groups } = conclusion;
  const heading = `${paint('bold', visibleLine(target.title))}: ${paint(CONCLUSION[conclusion.conclusion], conclusion.headline.toUpperCase())}`;
  const tally = VERDICTS.toReversed()
    .filter((verdict) => counts[verdict] > 0 || verdict === 'pass' || verdict === 'fail')
    .map((verdict) => `${counts[verdict]} ${verdict}`)
    .join(' · ');
  // What is new comes before what is known, and failures before what could not be judged.
  const rank = ({ scenario, verdict }: ScenarioGroup): number =>
    VERDICTS.indexOf(verdict) * 2 + (scenario in target.knownFailures ? 1 : 0);
  const grave = groups
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive')
    .toSorted((a, b) => rank(a) - rank(b));
  const more = grave.length - limit;
  return [
    heading,
    `  ${visible(conclusion.because).replaceAll('\n', '\n  | ')}`,
    `  ${tally}`,
    ...likenessLines(target),
    ...grave.slice(0, limit).flatMap((group) => ['', ...problemLines(conclusion, group, paint)]),
    ...(more > 0 ? ['', `  … and ${more} more, see report`] : []),
    '',
  ];
}

const duration = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

/**
 * What is printed at the end of a run: for each target its conclusion, verdict counts, and the failing
 * and inconclusive scenarios with reason, likely cause and the command that repeats them; then the
 * report's path and what the run cost. Ends in a line feed. Nothing in it but our own colours can steer
 * a terminal.
 */
export function terminalSummary(report: Report, options: TerminalOptions): string {
  const paint: Paint = (style, text) =>
    options.colour === true ? `\x1b[${SGR[style]}m${text}\x1b[0m` : text;
  const problems = [...(report.complete ? [] : ['The run is incomplete.']), ...report.problems];
  const { wallMs, handshakes, requests } = report.measured;
  const conclusions = concludeTargets(report);
  return [
    '',
    ...conclusions.flatMap((conclusion) => targetLines(conclusion, options.limit ?? 10, paint)),
    ...problems.map((problem) => paint('yellow', `! ${visible(problem).replaceAll('\n', '\n  | ')}`)),
    ...(problems.length > 0 ? [''] : []),
    ...(conclusions.length > 2 ? [...targetTable(conclusions), ''] : []),
    `Report: ${visibleLine(options.reportPath)}`,
    `${duration(wallMs)} · ${handshakes} handshakes · ${requests} requests`,
    '',
  ].join('\n');
}
