import type { Verdict } from '../harness/scenario/record.ts';
import { VERDICTS } from '../harness/scenario/record.ts';
import { concludeTargets, type Conclusion, type TargetConclusion } from './conclusion.ts';
import { targetTable } from './target-table.ts';
import { entriesOf } from './entries.ts';
import type { Entry } from './entries.ts';
import type { Catch, Report, TargetSummary } from './model.ts';
import { missingCapabilities } from './optional-capabilities.ts';
import { reproduceCommand } from './reproduce.ts';
import { clip, visible, visibleLine } from './visible.ts';

export interface TerminalOptions {
  /** Where the reader finds the HTML report. */
  readonly reportPath: string;
  /** Use ANSI colours. Default `false`. */
  readonly colour?: boolean;
  /** How many failures of a target, and reasons why something could not be judged, are told in full. Default 10. */
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

function problemLines(conclusion: TargetConclusion, { lead: group, also }: Entry, paint: Paint): string[] {
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
      : [`      attributed to the ${worst.attribution}`]),
    ...(worst.cause === null ? [] : told('likely cause: ', worst.cause)),
    ...(also.length === 0
      ? []
      : [
          `      ${group.verdict === 'fail' ? 'the same cause' : 'for the same reason'}: ${named(
            also.map(({ scenario }) => scenario),
            ALIKE,
          )}`,
        ]),
    paint('dim', `      repeat: ${visibleLine(reproduceCommand(conclusion.target, worst))}`),
  ];
}

/** How many scenarios are named on one line before the rest is only counted. */
const NAMED = 12;

/** The same for those that follow from one mistake: more of them are named, since they are told nowhere else. */
const ALIKE = 40;

/** Scenarios on one line. */
function named(scenarios: readonly string[], limit = NAMED): string {
  const more = scenarios.length - limit;
  return `${scenarios.slice(0, limit).map(visibleLine).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What known mistake this looks like, where one is near, and what sets the two apart. */
function likenessLines({ resemblances = [] }: TargetSummary): string[] {
  return resemblances.flatMap(({ mutant, mistake, distance, onlyTarget, unjudged }, index) => [
    `  ${index === 0 ? 'behaves like' : 'or like'} ${visibleLine(mutant)} ${clip(visibleLine(mistake), 160).text} (${distance === 0 ? 'the same failures' : 'nearly the same failures'}, distance ${distance.toFixed(2)})`,
    ...(onlyTarget.length === 0 ? [] : [`    fails here and not with it: ${named(onlyTarget)}`]),
    ...(unjudged.length === 0 ? [] : [`    fails with it, not judged here: ${named(unjudged)}`]),
  ]);
}

/** What binds every implementation and was not tried, as the target offers nothing to see it by. */
function untriedLines(conclusion: TargetConclusion, paint: Paint): string[] {
  const missing = missingCapabilities(conclusion);
  if (missing.length === 0) return [];
  return [
    '',
    `  ${paint('bold', 'Not tried')} for want of an optional capability; offer it and add it to capabilities in the manifest:`,
    ...missing.map(({ name, claim, scenarios }) => `    ${name} (${claim}): ${named(scenarios)}`),
  ];
}

function targetLines(
  conclusion: TargetConclusion,
  catches: readonly Catch[] | undefined,
  limit: number,
  paint: Paint,
): string[] {
  const { target, counts } = conclusion;
  const heading = `${paint('bold', visibleLine(target.title))}: ${paint(CONCLUSION[conclusion.conclusion], conclusion.headline.toUpperCase())}`;
  const tally = VERDICTS.toReversed()
    .filter((verdict) => counts[verdict] > 0 || verdict === 'pass' || verdict === 'fail')
    .map((verdict) => `${counts[verdict]} ${verdict}`)
    .join(' · ');
  const entries = entriesOf(conclusion, catches);
  const more = entries.slice(limit).reduce((sum, { also }) => sum + 1 + also.length, 0);
  return [
    heading,
    `  ${visible(conclusion.because).replaceAll('\n', '\n  | ')}`,
    `  ${tally}`,
    ...likenessLines(target),
    ...entries.slice(0, limit).flatMap((entry) => ['', ...problemLines(conclusion, entry, paint)]),
    ...(more > 0 ? ['', `  … and ${more} more, see report`] : []),
    ...untriedLines(conclusion, paint),
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
    ...conclusions.flatMap((conclusion) =>
      targetLines(conclusion, report.catches, options.limit ?? 10, paint),
    ),
    ...problems.map((problem) => paint('yellow', `! ${visible(problem).replaceAll('\n', '\n  | ')}`)),
    ...(problems.length > 0 ? [''] : []),
    ...(conclusions.length > 2 ? [...targetTable(conclusions), ''] : []),
    `Report: ${visibleLine(options.reportPath)}`,
    `${duration(wallMs)} · ${handshakes} handshakes · ${requests} requests`,
    '',
  ].join('\n');
}
