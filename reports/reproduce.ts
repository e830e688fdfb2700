import type { Permutation } from '../harness/scenario/record.ts';

/** The permutation of the core profile, which needs no option to repeat. */
export const CORE_PERMUTATION: Permutation = { tls: 'TLSv1.3', http: 'http/1.1', key: 'P-256' };

/** A permutation as `--permutation` takes it and the report shows it: `TLSv1.3 http/1.1 P-256`. */
export function permutationText(permutation: Permutation): string {
  return `${permutation.tls} ${permutation.http} ${permutation.key}`;
}

/** Whether this is the permutation of the core profile. */
export function isCore(permutation: Permutation): boolean {
  return permutationText(permutation) === permutationText(CORE_PERMUTATION);
}

function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The one command that repeats a result: `npx tsbt run <target> --scenario <id>`, with `--permutation`
 * where it was not the core one. `target.arguments` is taken as it stands: it is already in the words of
 * the command line.
 */
export function reproduceCommand(
  target: { readonly arguments: string },
  result: { readonly scenario: string; readonly permutation: Permutation },
): string {
  const words = ['npx tsbt run'];
  if (target.arguments !== '') words.push(target.arguments);
  words.push('--scenario', shellWord(result.scenario));
  if (!isCore(result.permutation)) words.push('--permutation', `"${permutationText(result.permutation)}"`);
  return words.join(' ');
}
