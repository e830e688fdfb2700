import { CORE, permutationText } from '../harness/scenario/permutation.ts';
import type { Permutation } from '../harness/scenario/record.ts';

/** Whether this is the permutation of the core profile. */
export function isCore(permutation: Permutation): boolean {
  return permutationText(permutation) === permutationText(CORE);
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
  result: {
    readonly scenario: string;
    readonly permutation: Permutation;
    readonly repeatWith?: readonly string[];
  },
): string {
  const words = ['npx tsbt run'];
  if (target.arguments !== '') words.push(target.arguments);
  for (const scenario of [result.scenario, ...(result.repeatWith ?? [])])
    words.push('--scenario', shellWord(scenario));
  if (!isCore(result.permutation)) words.push('--permutation', `"${permutationText(result.permutation)}"`);
  return words.join(' ');
}
