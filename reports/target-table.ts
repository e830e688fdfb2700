import type { TargetConclusion } from './conclusion.ts';
import type { Verdict } from '../harness/scenario/record.ts';
import { visibleLine } from './visible.ts';

/** Verdicts in the order of the columns, with their headings. */
const COLUMNS: readonly (readonly [verdict: Verdict, heading: string])[] = [
  ['pass', 'pass'],
  ['info', 'info'],
  ['warn', 'warn'],
  ['fail', 'fail'],
  ['inconclusive', 'unclear'],
  ['not-applicable', 'n/a'],
];

/** Longest name that is shown. */
const LONGEST = 48;

/** Targets and their verdict counts, one line each: for the terminal, where several targets were run. */
export function targetTable(conclusions: readonly TargetConclusion[]): readonly string[] {
  const rows = conclusions.map(({ target, counts, headline }) => [
    visibleLine(target.name).slice(0, LONGEST),
    target.role,
    ...COLUMNS.map(([verdict]) => (target.problem === undefined ? String(counts[verdict]) : '–')),
    headline,
  ]);
  const heading = ['target', 'role', ...COLUMNS.map(([, text]) => text), ''];
  const widths = heading.map((text, column) =>
    Math.max(text.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [heading, ...rows].map((row) =>
    row
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return column >= 2 && column < row.length - 1 ? text.padStart(width) : text.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
