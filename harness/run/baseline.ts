import { readFile, writeFile } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { ResultRecord } from '../scenario/record.ts';
import { UsageError } from '../usage-error.ts';

/** Scenario id → reason, per target. The failures of today; a list that shrinks. */
export type Baseline = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Reads a baseline file: YAML or JSON, `target: { scenario: reason }`.
 *
 * @throws {UsageError} when it cannot be read or is not of that form
 */
export async function readBaseline(path: string): Promise<Baseline> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(
      path,
      error instanceof Error ? error.message : String(error),
      'Give an existing file, or make one with --write-baseline.',
    );
  }
  const document = parseDocument(text, { uniqueKeys: true });
  const problem = document.errors[0];
  if (problem !== undefined) throw new UsageError(path, problem.message, 'Correct the YAML.');
  const value: unknown = document.toJS();
  if (!isBaseline(value))
    throw new UsageError(
      path,
      'is not a baseline',
      'Write `target-name:` with lines `SCENARIO-ID: reason` below it.',
    );
  return value;
}

function isBaseline(value: unknown): value is Baseline {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (entries) =>
      typeof entries === 'object' &&
      entries !== null &&
      !Array.isArray(entries) &&
      Object.values(entries).every((reason) => typeof reason === 'string'),
  );
}

/** The baseline that says just what fails in these results, with the reason of each. */
export function baselineOf(results: readonly ResultRecord[]): Baseline {
  const baseline: Record<string, Record<string, string>> = {};
  for (const result of results) {
    if (result.verdict !== 'fail') continue;
    const entries = (baseline[result.target] ??= {});
    entries[result.scenario] ??= (result.reason ?? '').split('\n')[0] ?? '';
  }
  return baseline;
}

/**
 * Writes {@link baselineOf} the results.
 *
 * @throws {UsageError} when the file cannot be written
 */
export async function writeBaseline(path: string, results: readonly ResultRecord[]): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(baselineOf(results), null, 2)}\n`);
  } catch (error) {
    throw new UsageError(
      path,
      error instanceof Error ? error.message : String(error),
      'Give a path that can be written with --baseline.',
    );
  }
}

/**
 * What is stale in a target's known failures: entries for scenarios that do not exist or were not among those
 * that ran although everything ran, and entries whose scenario does not fail any more.
 *
 * @param known scenario id → reason
 * @param results of this target
 * @param exists whether there is a scenario of that id
 * @returns in words, one per entry
 */
export function staleEntries(
  target: string,
  known: Readonly<Record<string, string>>,
  results: readonly ResultRecord[],
  exists: (id: string) => boolean,
): readonly string[] {
  return Object.keys(known).flatMap((id) => {
    if (!exists(id))
      return [`${target}: the baseline names ${id}, and there is no such scenario. Remove the entry.`];
    const verdicts = results.filter((result) => result.scenario === id).map((result) => result.verdict);
    if (verdicts.length === 0 || verdicts.includes('fail') || verdicts.includes('inconclusive')) return [];
    return [
      `${target}: the baseline says that ${id} fails, and it does not any more (${[...new Set(verdicts)].join(', ')}). Remove the entry.`,
    ];
  });
}
