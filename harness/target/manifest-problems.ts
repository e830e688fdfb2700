import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';
import type * as z from 'zod';
import { UsageError } from '../usage-error.ts';
import { FIELDS } from './manifest-schema.ts';
import { nearMiss } from './near-miss.ts';

/** One thing that is wrong in a manifest. */
interface Problem {
  /** Octet offset in the text, for the line and column. */
  readonly offset: number;
  /** Dotted path of the field; empty for the whole manifest. */
  readonly field: string;
  readonly message: string;
  readonly remedy?: string;
}

/** A manifest's text that parsed as YAML (JSON is YAML too), with what is needed to point into it. */
export interface ManifestText {
  readonly data: unknown;
  /** Makes one {@link UsageError} of everything the schema found. */
  explain(issues: readonly z.core.$ZodIssue[]): UsageError;
  /** Makes a {@link UsageError} that points at a field. */
  at(path: readonly PropertyKey[], message: string, remedy: string): UsageError;
}

const SEE = 'docs/target-contract.md describes every field.';

/**
 * Parses a manifest's text.
 *
 * @param file the name to show in messages
 * @throws {UsageError} when the text is not one YAML or JSON document
 */
export function parseManifestText(file: string, text: string): ManifestText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    throw combine(
      file,
      lines,
      broken.map((error) => syntaxProblem(error, text)),
    );
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    throw new UsageError(file, 'is empty', `Write a manifest into it: ${SEE}`);
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 20 });
  } catch {
    throw new UsageError(
      file,
      'has YAML aliases that multiply or lead nowhere',
      'Write the values out instead.',
    );
  }
  return {
    data,
    explain: (issues) =>
      combine(
        file,
        lines,
        issues.flatMap((issue) => describe(document, data, issue)),
      ),
    at: (path, message, remedy) =>
      combine(file, lines, [{ offset: offsetOf(document, path), field: path.join('.'), message, remedy }]),
  };
}

/** Every problem in the order of the text, each as `file:line:col field: message` with its remedy below. */
function combine(file: string, lines: LineCounter, problems: readonly Problem[]): UsageError {
  const shown = problems
    .toSorted((a, b) => a.offset - b.offset)
    .map((problem) => {
      const { line, col } = lines.linePos(problem.offset);
      const where = `${file}:${line}:${col}${problem.field === '' ? '' : ` ${problem.field}`}`;
      return { where, what: problem.message, remedy: problem.remedy ?? SEE };
    });
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return new UsageError(file, 'is not a manifest', SEE);
  const what = shown.map((one, index) => {
    const head = index === 0 ? one.what : `${one.where}: ${one.what}`;
    return one === last ? head : `${head}\n  ${one.remedy}`;
  });
  return new UsageError(first.where, what.join('\n'), last.remedy);
}

function syntaxProblem(error: YAMLError, text: string): Problem {
  const [offset] = error.pos;
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^["']?([^"':\s]+)/.exec(text.slice(offset, offset + 100))?.[1] ?? '';
    return { offset, field: key, message: 'stands here a second time', remedy: 'Remove one of the two.' };
  }
  return {
    offset,
    field: '',
    message: `is not well-formed YAML or JSON: ${error.message}`,
    remedy: 'Correct the indentation, quotes or brackets there or just before.',
  };
}

function describe(document: Document, data: unknown, issue: z.core.$ZodIssue): readonly Problem[] {
  const field = issue.path.join('.');
  const offset = offsetOf(document, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const known = FIELDS[field] ?? [];
      const meant = nearMiss(key, known);
      return {
        offset: keyOffset(document, issue.path, key) ?? offset,
        field: [...issue.path, key].join('.'),
        message: `unknown field${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        remedy: `Fields here: ${known.filter((name) => name !== '$schema').join(', ')}.`,
      };
    });
  }
  const received = valueAt(data, issue.path);
  const last = issue.path.at(-1);
  if (received === undefined && issue.code !== 'custom')
    return [{ offset, field, message: 'is missing', remedy: `Add ${String(last ?? '')}: ${SEE}` }];
  if (issue.code === 'invalid_value') {
    const known = issue.values.map(String);
    const meant = typeof received === 'string' ? nearMiss(received, known) : undefined;
    const choice = meant === undefined ? '' : `; did you mean ${meant}?`;
    return [
      {
        offset,
        field,
        message: `${show(received)} is not known${choice}`,
        remedy: `Known: ${known.join(', ')}.`,
      },
    ];
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues.map((inner) => inner.message).join('; ');
    return [{ offset, field, message, remedy: SEE }];
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input'))
    return [{ offset, field, message: `must be ${kindName(issue.expected)}, but is ${show(received)}` }];
  if (issue.code === 'too_small' && issue.message.startsWith('Too small'))
    return [
      {
        offset,
        field,
        message: issue.origin === 'number' ? `must be at least ${issue.minimum}` : 'is empty',
      },
    ];
  if (issue.code === 'too_big') return [{ offset, field, message: `must be at most ${issue.maximum}` }];
  // The schema's own messages read "what is wrong; what to do".
  const [what = '', ...rest] = issue.message.split('; ');
  const remedy = rest.length === 0 ? SEE : `${capitalised(rest.join('; '))}.`;
  const plain = typeof received === 'string' || typeof received === 'number';
  return [{ offset, field, message: plain ? `${show(received)} ${what}` : what, remedy }];
}

function kindName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: 'text',
    array: 'a list',
    object: 'a set of fields',
    record: 'a set of fields',
    int: 'a whole number',
    number: 'a number',
  };
  return names[expected] ?? expected;
}

/** A value of the manifest, short enough for a message. Structures are not spelled out. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'the list';
  if (typeof value === 'object' && value !== null) return 'the set of fields';
  if (value === null) return 'empty';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

/** Where the field stands, or the nearest thing around it that is there. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  const last = path.at(-1);
  if (last === undefined) return startOf(document.contents) ?? 0;
  const key = keyOffset(document, path.slice(0, -1), last);
  if (key !== undefined && typeof last === 'string') return key;
  return startOf(document.getIn(path, true)) ?? offsetOf(document, path.slice(0, -1));
}

function keyOffset(document: Document, parent: readonly PropertyKey[], key: PropertyKey): number | undefined {
  const map = parent.length === 0 ? document.contents : document.getIn(parent, true);
  if (!isMap(map)) return undefined;
  for (const pair of map.items)
    if (isScalar(pair.key) && String(pair.key.value) === key) return startOf(pair.key);
  return undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
