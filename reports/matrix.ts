import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cell, JourneyOutcome, MatrixParty, MatrixRecord } from '../harness/matrix/record.ts';
import { UsageError } from '../harness/usage-error.ts';
import { OUTCOME_MARK, renderMatrix } from './html/matrix-page.ts';
import { BLAMED } from './html/matrix-pair.ts';
import { jsonText } from './json-text.ts';
import { clip, visibleLine } from './visible.ts';

/** What is to be said of a pair, or of the whole matrix. */
type PairVerdict = 'fail' | 'inconclusive' | 'pass';

/** A matrix with what is to be said of it: what page and terminal are made from. */
export interface MatrixView {
  readonly record: MatrixRecord;
  /** The whole matrix in one sentence. */
  readonly outcome: string;
  readonly verdict: PairVerdict;
  readonly pairs: readonly {
    readonly cell: Cell;
    readonly verdict: PairVerdict;
    /** How many journeys of each outcome that there is, gravest first. */
    readonly counts: readonly (readonly [JourneyOutcome, number])[];
    /** Ids of the journeys that failed. */
    readonly failed: readonly string[];
  }[];
}

type Pair = MatrixView['pairs'][number];

/** How many failing pairs the outcome names. */
const NAMED = 6;
/** Columns of a terminal that a line takes at most. */
const WIDTH = 100;
/** Characters of a name in the table. */
const NAME = 28;
const SGR = { fail: 31, pass: 32, inconclusive: 35, dim: 2 } as const;

type Paint = (style: keyof typeof SGR, text: string) => string;

const line = (text: string, length: number): string => {
  const { text: kept, omitted } = clip(visibleLine(text), length);
  return omitted === 0 ? kept : `${clip(kept, length - 1).text}…`;
};

function judged(cell: Cell): Pair {
  const counts = (Object.keys(OUTCOME_MARK) as JourneyOutcome[])
    .map((outcome) => [outcome, cell.journeys.filter((one) => one.outcome === outcome).length] as const)
    .filter(([, count]) => count > 0);
  const gravest = counts[0]?.[0] ?? 'inconclusive';
  return {
    cell,
    // Where nothing applied, nothing was seen to work.
    verdict: gravest === 'not-applicable' ? 'inconclusive' : gravest,
    counts,
    failed: cell.journeys.filter(({ outcome }) => outcome === 'fail').map(({ journey }) => journey),
  };
}

/** `7 of 8 × 6 pairs work; 1 fails; 40 not run.` */
function sentence({ clients, servers }: MatrixRecord, pairs: readonly Pair[], failing: string): string {
  const total = clients.length * servers.length;
  const count = (which: PairVerdict): number => pairs.filter(({ verdict }) => verdict === which).length;
  const [fail, untold, works] = [count('fail'), count('inconclusive'), count('pass')];
  const parts = [
    `${works} of ${clients.length} × ${servers.length} pairs ${works === 1 ? 'works' : 'work'}`,
    fail > 0 && `${fail} ${fail === 1 ? 'fails' : 'fail'}${failing}`,
    untold > 0 && `${untold} could not be told`,
    total > pairs.length && `${total - pairs.length} not run`,
  ];
  return `${parts.filter((text) => text !== false).join('; ')}.`;
}

/** Judges a record: a pair fails with one journey, and works where some passed and no other could not be told. */
export function viewOf(record: MatrixRecord): MatrixView {
  const pairs = record.cells.map(judged);
  const failing = pairs.filter(({ verdict }) => verdict === 'fail');
  const named = failing
    .slice(0, NAMED)
    .map(({ cell, failed }) => `${cell.client} with ${cell.server} (${failed.join(', ')})`);
  const more = failing.length > NAMED ? ` and ${failing.length - NAMED} more` : '';
  const whole = pairs.length > 0 && pairs.length === record.clients.length * record.servers.length;
  const works = whole && pairs.every(({ verdict }) => verdict === 'pass');
  return {
    record,
    outcome: sentence(record, pairs, `: ${named.join(', ')}${more}`),
    verdict: failing.length > 0 ? 'fail' : works ? 'pass' : 'inconclusive',
    pairs,
  };
}

/**
 * Writes `matrix.json` and `index.html` into `directory`, which is made where it is missing; answers with the path of
 * the page. Throws {@link UsageError} where the directory cannot be written.
 */
export async function writeMatrix(directory: string, record: MatrixRecord): Promise<string> {
  const page = join(directory, 'index.html');
  try {
    await mkdir(directory, { recursive: true });
    // The data first: should rendering meet something it cannot show, the results are on disk.
    await writeFile(join(directory, 'matrix.json'), `${jsonText(record, 2)}\n`);
    await writeFile(page, renderMatrix(viewOf(record)));
    return page;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new UsageError(
      '--out',
      `${directory} cannot be written: ${error.message}`,
      'Give a folder that you may write with --out DIR.',
    );
  }
}

const label = ({ name, reference }: MatrixParty): string => `${line(name, NAME)}${reference ? '*' : ''}`;

interface Column {
  readonly width: number;
  readonly lines: readonly { readonly style?: keyof typeof SGR; readonly text: string }[];
}

function column(server: MatrixParty, { clients }: MatrixRecord, pairs: readonly Pair[]): Column {
  const lines = clients.map((client) => {
    const pair = pairs.find(({ cell }) => cell.client === client.name && cell.server === server.name);
    if (pair === undefined) return { style: 'dim', text: 'not run' } as const;
    const text = pair.counts.map(([outcome, count]) => `${OUTCOME_MARK[outcome]} ${count}`).join(' · ');
    return { style: pair.verdict, text: text === '' ? 'nothing' : text };
  });
  const all = [{ text: label(server) }, ...lines];
  return { width: Math.max(...all.map(({ text }) => text.length)) + 2, lines: all };
}

/** Clients by servers. Servers that a line has no room for stand in a table below. */
function tables({ record, pairs }: MatrixView, paint: Paint): string[] {
  const names = ['', ...record.clients.map(label)];
  const first = Math.max(...names.map((name) => name.length)) + 2;
  const blocks: Column[][] = [];
  let room = 0;
  for (const next of record.servers.map((server) => column(server, record, pairs))) {
    if (next.width > room) {
      blocks.push([]);
      room = WIDTH - first - 2;
    }
    blocks.at(-1)?.push(next);
    room -= next.width;
  }
  return blocks.flatMap((block) => [
    ...names.map((name, row) => {
      const cells = block.map(({ width, lines }) => {
        const { style, text = '' } = lines[row] ?? {};
        return `${style === undefined ? text : paint(style, text)}${' '.repeat(width - text.length)}`;
      });
      return `  ${name.padEnd(first)}${cells.join('')}`.trimEnd();
    }),
    '',
  ]);
}

function failureLine({ cell }: Pair): string {
  const failed = cell.journeys.filter(({ outcome }) => outcome === 'fail');
  const matters = Map.groupBy(failed, ({ blame }) =>
    blame === undefined ? 'not found out' : BLAMED[blame.on],
  );
  const told = [...matters].map(
    ([whose, journeys]) => `${journeys.map(({ journey }) => journey).join(', ')} (${whose})`,
  );
  return `${cell.client} with ${cell.server}: ${told.join('; ')}`;
}

/**
 * What is printed at the end of a matrix: a table, clients by servers, then a line for each pair that fails with whose
 * matter it is, for each that could not be started, and for each problem. No line is longer than 100 characters.
 * Ends in a line feed. Nothing in it but our own colours can steer a terminal.
 */
export function matrixSummary(record: MatrixRecord, { color }: { readonly color: boolean }): string {
  const paint: Paint = (style, text) => (color ? `\x1b[${SGR[style]}m${text}\x1b[0m` : text);
  const view = viewOf(record);
  const parties = [...record.clients, ...record.servers];
  const room = WIDTH - 4;
  return [
    '',
    ...tables(view, paint),
    ...view.pairs
      .filter(({ verdict }) => verdict === 'fail')
      .map((pair) => `  ${paint('fail', '✕')} ${line(failureLine(pair), room)}`),
    ...parties.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`  – ${line(`${name} was not started: ${problem}`, room)}`],
    ),
    ...record.problems.map((problem) => `  ! ${line(problem, room)}`),
    ...(parties.some(({ reference }) => reference) ? [paint('dim', '  * the reference')] : []),
    paint(view.verdict, sentence(record, view.pairs, '')),
    '',
  ].join('\n');
}
