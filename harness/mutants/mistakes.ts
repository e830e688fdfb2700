import { readFile, writeFile } from 'node:fs/promises';
import { permutationText } from '../scenario/permutation.ts';
import { UsageError } from '../usage-error.ts';
import type { Subject } from './subject.ts';

/**
 * A mutant or variant in words. They are kept in a file beside the kill sets: a report tells them, and need not load
 * everything that the mutants are made of for it.
 */
export interface Mistake {
  readonly id: string;
  readonly form: Subject['form'];
  /** The mistake, or the difference. */
  readonly what: string;
  /** Requirements that the mutant breaks; empty for a variant. */
  readonly breaks: readonly string[];
  /** Permutations that it is played under beside the core profile's, as texts. */
  readonly also: readonly string[];
}

/** The words of each subject, in their order. */
export function mistakesOf(subjects: readonly Subject[]): readonly Mistake[] {
  return subjects.map(({ id, form, what, breaks, also }) => ({
    id,
    form,
    what,
    breaks,
    also: also.map(permutationText),
  }));
}

/** Of a line, as in the formatter's settings. */
const WIDTH = 110;

/** Writes them as the formatter would, so that a change of one word is one line of the diff. */
export async function writeMistakes(path: string, mistakes: readonly Mistake[]): Promise<void> {
  const rows = mistakes.map((mistake) => `  {\n${Object.entries(mistake).map(memberText).join(',\n')}\n  }`);
  await writeFile(path, `[\n${rows.join(',\n')}\n]\n`);
}

function memberText([name, value]: readonly [string, string | readonly string[]]): string {
  if (typeof value === 'string') return `    "${name}": ${JSON.stringify(value)}`;
  const items = value.map((item) => JSON.stringify(item));
  const line = `    "${name}": [${items.join(', ')}]`;
  return `${line},`.length <= WIDTH
    ? line
    : `    "${name}": [\n${items.map((item) => `      ${item}`).join(',\n')}\n    ]`;
}

/**
 * Reads what {@link writeMistakes} wrote.
 *
 * @throws {UsageError} when the file cannot be read or is not of that form
 */
export async function readMistakes(path: string): Promise<readonly Mistake[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
  if (Array.isArray(value) && value.every(isMistake)) return value;
  throw damaged(path, 'is not of the form that it should be');
}

function damaged(path: string, what: string): UsageError {
  return new UsageError(path, what, 'Restore the file, or have it written anew with `tsbt mutants --write`.');
}

function isMistake(value: unknown): value is Mistake {
  if (typeof value !== 'object' || value === null) return false;
  const { id, form, what, breaks, also }: Partial<Record<keyof Mistake, unknown>> = value;
  return (
    typeof id === 'string' &&
    (form === 'mutant' || form === 'variant') &&
    typeof what === 'string' &&
    areTexts(breaks) &&
    areTexts(also)
  );
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
