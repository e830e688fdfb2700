import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { ResultRecord } from '../harness/scenario/record.ts';
import { VERDICTS } from '../harness/scenario/record.ts';
import { REPORT_SCHEMA } from './assemble.ts';
import { jsonText } from './json-text.ts';
import type { Report, TargetSummary } from './model.ts';

/** First line of a stream: what is about to be run. */
export interface StreamHeader {
  readonly schema: string;
  readonly tool: Report['tool'];
  readonly draft: string;
  /** RFC 3339 */
  readonly startedAt: string;
  readonly targets: readonly TargetSummary[];
  /** How many results will follow when nothing goes wrong. */
  readonly planned: number;
}

/** Last line of a stream: that it ended, and how. */
interface StreamFooter {
  readonly complete: boolean;
  /** RFC 3339 */
  readonly finishedAt: string;
  readonly exitCode: number;
}

/**
 * Writes a stream as the run goes on. Each line is handed to the operating system before the call
 * returns, so that a run that is killed leaves every result it had reached.
 */
export interface StreamWriter extends Disposable {
  append(result: ResultRecord): void;
  /** Writes the footer and closes the file. Without it the stream reads as truncated. */
  finish(footer: StreamFooter): void;
}

/**
 * Starts (and empties) the stream file with its header line. Its folder must exist. Throws the file
 * system's error where the file cannot be written.
 */
export function openStream(file: string, header: Omit<StreamHeader, 'schema'>): StreamWriter {
  const descriptor = openSync(file, 'w');
  let open = true;
  const line = (value: object): void => {
    if (!open) throw new Error(`${file} is finished; nothing can be added`);
    const octets = Buffer.from(`${jsonText(value)}\n`);
    for (let written = 0; written < octets.length;) written += writeSync(descriptor, octets, written);
  };
  const close = (): void => {
    if (open) closeSync(descriptor);
    open = false;
  };
  line({ type: 'header', schema: REPORT_SCHEMA, ...header });
  return {
    append: (result) => line({ type: 'result', ...result }),
    finish(footer) {
      line({ type: 'footer', ...footer });
      close();
    },
    [Symbol.dispose]: close,
  };
}

/** What a stream file holds. */
export interface StreamContent {
  readonly header: StreamHeader | null;
  readonly results: readonly ResultRecord[];
  readonly footer: StreamFooter | null;
  /** True only when header and footer are there, the footer says so, no line is broken and no planned result is missing. */
  readonly complete: boolean;
  /** What is wrong with the stream, in words. */
  readonly problems: readonly string[];
}

type Line = { readonly [member: string]: unknown };

function parseLine(text: string): Line | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Line) : null;
  } catch {
    return null;
  }
}

const hasStrings = (line: Line, members: readonly string[]): boolean =>
  members.every((member) => typeof line[member] === 'string');

function isHeader(line: Line): boolean {
  return (
    hasStrings(line, ['schema', 'draft', 'startedAt']) &&
    Array.isArray(line['targets']) &&
    typeof line['planned'] === 'number'
  );
}

function isResult(line: Line): boolean {
  return (
    hasStrings(line, ['target', 'scenario', 'requirement', 'suite', 'title', 'verdict']) &&
    VERDICTS.some((verdict) => verdict === line['verdict']) &&
    typeof line['permutation'] === 'object' &&
    typeof line['evidence'] === 'object'
  );
}

function isFooter(line: Line): boolean {
  return typeof line['complete'] === 'boolean' && hasStrings(line, ['finishedAt']);
}

/** Takes the discriminator off again: what is left is the value that was written. */
function untyped(line: Line): unknown {
  const { type: _, ...value } = line;
  return value;
}

/**
 * Reads a stream text. Whole lines before a break are kept; whatever is missing or broken is named in
 * `problems` and makes `complete` false. Never throws for what the text holds.
 */
export function parseStream(text: string): StreamContent {
  const problems: string[] = [];
  const results: ResultRecord[] = [];
  let header: StreamHeader | null = null;
  let footer: StreamFooter | null = null;
  const lines = text.split('\n');
  // A text that ends in a line feed splits into a last empty string; anything else there was cut off.
  const rest = lines.pop() ?? '';
  if (rest !== '') lines.push(rest);

  for (const [index, raw] of lines.entries()) {
    const line = parseLine(raw);
    const where = `line ${index + 1} of the result stream`;
    if (line === null)
      problems.push(`${where} is broken${index === lines.length - 1 ? ': the run was cut off there' : ''}`);
    else if (footer !== null) problems.push(`${where} comes after the footer`);
    else if (line['type'] === 'header' && header === null && index === 0 && isHeader(line))
      header = untyped(line) as StreamHeader;
    else if (line['type'] === 'result' && isResult(line)) results.push(untyped(line) as ResultRecord);
    else if (line['type'] === 'footer' && isFooter(line)) footer = untyped(line) as StreamFooter;
    else problems.push(`${where} is not a header, result or footer of this format`);
  }

  if (header === null) problems.push('the result stream has no header');
  else if (header.schema !== REPORT_SCHEMA) problems.push('the result stream is of another version');
  else if (results.length < header.planned)
    problems.push(`${header.planned - results.length} of ${header.planned} planned results are missing`);
  if (footer === null) problems.push('the result stream has no footer: the run did not come to its end');
  else if (!footer.complete) problems.push('the run was ended before all was done');
  return { header, results, footer, complete: problems.length === 0, problems };
}

/** Reads a stream file as {@link parseStream} does. Throws the file system's error where it cannot be read. */
export function readStream(file: string): StreamContent {
  return parseStream(readFileSync(file, 'utf8'));
}
