import { expect, test } from 'vitest';
import { trivialTests } from '../harness/mutants/trivial-tests.ts';
import { loadTrivialSubjects } from '../harness/mutants/trivial.ts';
import { requirement } from './requirements/catalogue.ts';
import { SCENARIOS } from './scenarios.ts';
import { TRIVIAL_PASSES } from './trivial-passes.ts';

const subjects = await loadTrivialSubjects();

test('ids are unique, and passes are declared of targets and scenarios that exist, with the reason', () => {
  const ids = subjects.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(TRIVIAL_PASSES).filter((id) => !ids.includes(id))).toEqual([]);
  const groups = Object.values(TRIVIAL_PASSES).flat();
  const known = new Set(SCENARIOS.map(({ id }) => id));
  expect(groups.flatMap(({ pass }) => pass).filter((id) => !known.has(id))).toEqual([]);
  expect(groups.filter(({ because }) => because.trim() === '')).toEqual([]);
});

trivialTests(subjects, ['resource-server', 'intermediary', 'authorization-server'], {
  scenarios: SCENARIOS,
  requirement,
  passes: TRIVIAL_PASSES,
});
