import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compare } from '../harness/mutants/compare.ts';
import { readExactKillSets, readUnkilled } from '../harness/mutants/kill-sets.ts';
import { mistakesOf, readMistakes } from '../harness/mutants/mistakes.ts';
import { ambiguous, loadSubjects } from '../harness/mutants/subject.ts';
import { EMBEDDED_ROLES } from '../harness/target/embedded.ts';
import { REQUIREMENTS } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';

describe.each(EMBEDDED_ROLES)('%s', async (role) => {
  const file = (name: string): string =>
    fileURLToPath(new URL(`kill-sets/${role}${name}.json`, import.meta.url));
  const subjects = await loadSubjects(role);
  const declared = {
    killSets: await readExactKillSets(file('')),
    unkilled: await readUnkilled(file('.unkilled')),
  };

  test('what reports tell of mutants and variants is what their catalogues say; `tsbt mutants --write` renews it', async () => {
    expect(await readMistakes(file('.mistakes'))).toEqual(mistakesOf(subjects));
  });

  test('ids of mutants and harmless variants are unique', () => {
    expect(ambiguous(subjects)).toEqual([]);
  });

  test('every mutant and harmless variant has a kill set, and every mutant dies', () => {
    expect(subjects.filter(({ id }) => declared.killSets[id] === undefined).map(({ id }) => id)).toEqual([]);
    expect(
      subjects
        .filter(({ id, form }) => form === 'mutant' && declared.killSets[id]?.length === 0)
        .map(({ id }) => id),
    ).toEqual([]);
  });

  test('every scenario that means a failure kills a mutant or says why it kills none, and no declaration is stale', () => {
    const suite = {
      scenarios: SCENARIOS.filter((scenario) => scenario.role === role).map(({ id }) => id),
      requirements: REQUIREMENTS.filter((requirement) => requirement.role === role),
    };
    expect(
      compare([], subjects, [], declared, suite).mismatches.map(
        ({ kind, about, text }) => `${kind}: ${about} ${text}`,
      ),
    ).toEqual([]);
  });
});
