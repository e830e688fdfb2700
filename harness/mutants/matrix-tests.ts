import { afterAll, beforeAll, inject, test } from 'vitest';
import type { Requirement } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Laboratory } from './laboratory.ts';
import './matrix-project.ts';

/** Bound on all scenarios of one subject; each of them is bounded too. */
const SUBJECT_LIMIT_MS = 240_000;

/** Hands every subject of the injected matrix to vitest as one test, which leaves its observation in the test's meta data. */
export function matrixTests(scenarios: readonly Scenario[], requirement: (id: string) => Requirement): void {
  const { subjects } = inject('matrix');
  let laboratory: Laboratory | undefined;
  beforeAll(async () => {
    laboratory = await Laboratory.open(scenarios, requirement);
  });
  afterAll(async () => laboratory?.[Symbol.asyncDispose]());
  for (const subject of subjects) {
    test(`${subject.id} ${subject.what}`, { timeout: SUBJECT_LIMIT_MS }, async ({ task, signal }) => {
      if (laboratory !== undefined) task.meta.observation = await laboratory.observe(subject, signal);
    });
  }
}
