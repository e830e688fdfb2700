import type { ResultRecord } from '../harness/scenario/record.ts';
import { countVerdicts } from './assemble.ts';
import type { Report, TargetSummary } from './model.ts';
import { permutationText } from '../harness/scenario/permutation.ts';
import { reproduceCommand } from './reproduce.ts';
import { visible, visibleLine } from './visible.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
const text = (value: string): string => escape(visible(value));
const attribute = (value: string): string => `"${escape(visibleLine(value))}"`;
const seconds = (milliseconds: number): string => (Math.max(0, milliseconds) / 1000).toFixed(3);
const property = (name: string, value: string): string =>
  `<property name=${attribute(name)} value=${attribute(value)}/>`;

/** The JUnit element a verdict turns into; `warn` and `info` pass there, and say what they have to in `system-out`. */
function outcome(result: ResultRecord, known: string | undefined): string {
  const message = attribute(result.reason ?? '');
  const detail = text([result.reason, result.cause].filter((part) => part !== null).join('\n\n'));
  const type = known === undefined ? `${result.verdict}.${result.attribution ?? 'target'}` : 'known-failure';
  if (result.verdict === 'fail')
    return `<failure type=${attribute(type)} message=${message}>${detail}</failure>`;
  if (result.verdict === 'inconclusive')
    return `<error type=${attribute(type)} message=${message}>${detail}</error>`;
  return result.verdict === 'not-applicable' ? `<skipped message=${message}/>` : '';
}

function testcase(result: ResultRecord, target: TargetSummary | undefined): string {
  const known = target?.knownFailures[result.scenario];
  const properties = [
    property('verdict', result.verdict),
    property('requirement', result.requirement),
    property('level', result.level),
    property('permutation', permutationText(result.permutation)),
  ];
  if (result.attribution !== null) properties.push(property('attribution', result.attribution));
  if (result.verdict === 'warn' || result.verdict === 'info')
    properties.push(property(result.verdict, result.reason ?? ''));
  if (known !== undefined) properties.push(property('known-failure', known));
  const said = [
    ...(result.verdict === 'warn' || result.verdict === 'info'
      ? [`${result.verdict}: ${result.reason ?? ''}`]
      : []),
    ...(result.verdict !== 'pass' && target !== undefined
      ? [`repeat: ${reproduceCommand(target, result)}`]
      : []),
  ];
  const out = said.length === 0 ? '' : `<system-out>${text(said.join('\n'))}</system-out>`;
  const name = `${result.scenario} ${result.title} [${permutationText(result.permutation)}]`;
  return (
    `<testcase classname=${attribute(`${result.target}.${result.suite}`)} name=${attribute(name)} time="${seconds(result.durationMs)}">` +
    `<properties>${properties.join('')}</properties>${outcome(result, known)}${out}</testcase>`
  );
}

function resultSuite(
  name: string,
  results: readonly ResultRecord[],
  target: TargetSummary | undefined,
  startedAt: string,
): string {
  const counts = countVerdicts(results);
  const time = seconds(results.reduce((sum, { durationMs }) => sum + durationMs, 0));
  return [
    `<testsuite name=${attribute(name)} tests="${results.length}" failures="${counts.fail}" errors="${counts.inconclusive}" skipped="${counts['not-applicable']}" time="${time}" timestamp=${attribute(startedAt)}>`,
    ...results.map((result) => testcase(result, target)),
    '</testsuite>',
  ].join('\n');
}

/** Matters of the run itself: without them a run that judged nothing would look like one without faults. */
function runSuite(report: Report): string[] {
  const matters = [
    ...(report.complete ? [] : ['the run is incomplete']),
    ...report.targets.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem}`])),
    ...report.problems,
  ];
  if (matters.length === 0) return [];
  const cases = matters.map(
    (matter) =>
      `<testcase classname="run" name=${attribute(matter)} time="0.000"><error type="run" message=${attribute(matter)}/></testcase>`,
  );
  return [
    `<testsuite name="run" tests="${matters.length}" failures="0" errors="${matters.length}" skipped="0" time="0.000" timestamp=${attribute(report.startedAt)}>`,
    ...cases,
    '</testsuite>',
  ];
}

/**
 * JUnit XML of a report, one test suite for each target and suite. `fail` is a failure, `inconclusive`
 * an error, `not-applicable` skipped with its reason; `warn` and `info` pass, with what they say in
 * `system-out` and as a property. Known failures stay failures, of type `known-failure`.
 */
export function renderJunit(report: Report): string {
  const targets = new Map(report.targets.map((target) => [target.name, target]));
  const suites = new Map<string, ResultRecord[]>();
  for (const result of report.results) {
    const name = `${result.target} / ${result.suite}`;
    const members = suites.get(name);
    if (members === undefined) suites.set(name, [result]);
    else members.push(result);
  }
  const counts = countVerdicts(report.results);
  const run = runSuite(report);
  const runErrors = Math.max(0, run.length - 2);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${attribute(report.tool.name)} tests="${report.results.length + runErrors}" failures="${counts.fail}" errors="${counts.inconclusive + runErrors}" skipped="${counts['not-applicable']}" time="${seconds(report.measured.wallMs)}">`,
    ...run,
    ...[...suites].map(([name, results]) =>
      resultSuite(name, results, targets.get(results[0]?.target ?? ''), report.startedAt),
    ),
    '</testsuites>',
    '',
  ].join('\n');
}
