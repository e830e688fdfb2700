import { readFile, writeFile } from 'node:fs/promises';
import type { Verdict } from '../scenario/record.ts';
import { UsageError } from '../usage-error.ts';

/**
 * What the suite finds on a mutant or variant, one entry a scenario: `RS-EKM-5` where it fails, and where its verdict is
 * another one that counts, the verdict behind the id: `RS-ERR-8 warn`. Where a scenario finds several things, an exact
 * entry says how many: `RS-PL-7 ×3`, so that none of its assertions can go unnoticed. Sorted.
 */
export type KillSet = readonly string[];

/** Mutant or variant → what the suite finds on it. */
export type KillSets = Readonly<Record<string, KillSet>>;

/** Scenario that no mutant can be caught by → why not. */
export type Unkilled = Readonly<Record<string, string>>;

const COUNT = / ×\d+$/;

/**
 * How a verdict stands in a kill set.
 *
 * @param found how many things the scenario found
 */
export function killText(scenario: string, verdict: Verdict, found = 1): string {
  return `${scenario}${verdict === 'fail' ? '' : ` ${verdict}`}${found > 1 ? ` ×${found}` : ''}`;
}

/** The scenario of an entry, exact or not, and its verdict. */
export function readKill(entry: string): { readonly scenario: string; readonly verdict: string } {
  const [scenario = '', verdict = 'fail'] = withoutCount(entry).split(' ');
  return { scenario, verdict };
}

/** An entry without how many things were found. */
export function withoutCount(entry: string): string {
  return entry.replace(COUNT, '');
}

/**
 * Reads the kill sets of a role, for those who want to know which scenarios find something, not how much.
 *
 * @throws {UsageError} when the file cannot be read or is not of that form
 */
export async function readKillSets(path: string): Promise<KillSets> {
  const exact = await readExactKillSets(path);
  return Object.fromEntries(Object.entries(exact).map(([id, entries]) => [id, entries.map(withoutCount)]));
}

/**
 * Reads the kill sets of a role with exact entries.
 *
 * @throws {UsageError} when the file cannot be read or is not of that form
 */
export async function readExactKillSets(path: string): Promise<KillSets> {
  return read(path, (value): value is KillSets =>
    entriesAre(value, (entry) => Array.isArray(entry) && entry.every((one) => typeof one === 'string')),
  );
}

/**
 * Reads the scenarios that kill nothing, with the reasons.
 *
 * @throws {UsageError} when the file cannot be read or is not of that form
 */
export async function readUnkilled(path: string): Promise<Unkilled> {
  return read(path, (value): value is Unkilled => entriesAre(value, (entry) => typeof entry === 'string'));
}

/** Writes kill sets so that a change of one is a line of the diff: subjects in the given order, entries sorted. */
export async function writeKillSets(path: string, sets: KillSets): Promise<void> {
  await writeFile(path, `${JSON.stringify(sets, null, 2)}\n`);
}

function entriesAre(value: unknown, test: (entry: unknown) => boolean): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(test)
  );
}

async function read<T>(path: string, is: (value: unknown) => value is T): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new UsageError(
      path,
      error instanceof Error ? error.message : String(error),
      'Restore the file, or have it written anew with `tsbt mutants --write`.',
    );
  }
  if (is(value)) return value;
  throw new UsageError(
    path,
    'is not of the form that it should be',
    'Restore the file, or have it written anew with `tsbt mutants --write`.',
  );
}
