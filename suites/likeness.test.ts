import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fingerprint } from '../harness/mutants/fingerprint.ts';
import type { Suspect } from '../harness/mutants/fingerprint.ts';
import { readKill, readKillSets } from '../harness/mutants/kill-sets.ts';
import { readMistakes } from '../harness/mutants/mistakes.ts';
import { parsePermutation, permutations } from '../harness/scenario/permutation.ts';
import type { Permutation, Verdict } from '../harness/scenario/record.ts';
import { EMBEDDED_ROLES } from '../harness/target/embedded.ts';
import { SCENARIOS } from './scenarios.ts';

/**
 * "Behaves like" on targets that the suite knows: each mutant, compared with the others without itself. What is named
 * has to be a mistake of the same kind, which is one that breaks a requirement which the mutant breaks too.
 */

/** The least part of the names that are right. */
const RIGHT = 0.9;

/** The same mistake under two requirements: each is the right name for the other. */
const SAME: readonly (readonly string[])[] = [['M-RS-131', 'M-RS-202']];

const across = new Map(SCENARIOS.map((scenario) => [scenario.id, scenario.across]));

interface Known extends Suspect {
  readonly role: string;
  readonly breaks: readonly string[];
}

async function mutantsOf(role: string): Promise<readonly Known[]> {
  const path = (suffix: string): string =>
    fileURLToPath(new URL(`kill-sets/${role}${suffix}.json`, import.meta.url));
  const [killSets, mistakes] = await Promise.all([readKillSets(path('')), readMistakes(path('.mistakes'))]);
  return mistakes
    .filter(({ id, form }) => form === 'mutant' && id in killSets)
    .map(({ id, what, breaks, also }) => ({
      role,
      mutant: id,
      mistake: what,
      breaks,
      also: also.map(parsePermutation).filter((one) => one !== undefined),
      failing: (killSets[id] ?? [])
        .map(readKill)
        .filter(({ verdict }) => verdict === 'fail')
        .map(({ scenario }) => scenario),
    }));
}

/** What a run of the core profile, and the mutant's own permutations, would show. */
function outcomesOf({ role, failing, also }: Known) {
  return SCENARIOS.filter((scenario) => scenario.role === role).flatMap(({ id, across: axes }) => {
    const verdict: Verdict = failing.includes(id) ? 'fail' : 'pass';
    const played: readonly Permutation[] = [...permutations(axes, 'core'), ...also];
    return played.map((permutation) => ({ scenario: id, permutation, verdict }));
  });
}

test('what a held-out mutant is said to behave like is a mistake of the same kind', async () => {
  const known = (await Promise.all(EMBEDDED_ROLES.map(mutantsOf))).flat();
  const named = known.flatMap((one) => {
    const others = known.filter(({ role, mutant }) => role === one.role && mutant !== one.mutant);
    const near = fingerprint(outcomesOf(one), others, across);
    if (near.length === 0) return [];
    const kinds = others.filter(({ mutant }) => near.some((each) => each.mutant === mutant));
    const isRight = kinds.some(
      ({ mutant, breaks }) =>
        breaks.some((id) => one.breaks.includes(id)) ||
        SAME.some((pair) => pair.includes(mutant) && pair.includes(one.mutant)),
    );
    return [{ text: `${one.mutant}: ${kinds.map(({ mutant }) => mutant).join(', ')}`, isRight }];
  });
  const wrong = named.filter(({ isRight }) => !isRight).map(({ text }) => text);
  expect(named.length).toBeGreaterThan(20);
  expect(
    wrong.length / named.length,
    `of ${named.length}, of another kind: ${wrong.join('; ')}`,
  ).toBeLessThan(1 - RIGHT);
});
