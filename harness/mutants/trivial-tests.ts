import { beforeAll, describe, expect, test } from 'vitest';
import type { Requirement } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { EmbeddedRole } from '../target/embedded.ts';
import { Laboratory } from './laboratory.ts';
import { accidentalPasses } from './trivial.ts';
import type { TrivialPasses, TrivialSubject } from './trivial.ts';

/** Bound on all scenarios of one target; on a machine with nothing else to do it takes three seconds. */
const LIMIT_MS = 120_000;

/** The suite that is tried. */
interface Tried {
  readonly scenarios: readonly Scenario[];
  /** The catalogue's row of an id. */
  readonly requirement: (id: string) => Requirement;
  readonly passes: TrivialPasses;
}

/** Hands every trivial target of these roles to vitest as one test, which plays all scenarios of its role. */
export function trivialTests(
  subjects: readonly TrivialSubject[],
  roles: readonly EmbeddedRole[],
  { scenarios, requirement, passes }: Tried,
): void {
  let laboratory: Laboratory;
  beforeAll(async () => {
    laboratory = await Laboratory.open(scenarios, requirement);
    return () => laboratory[Symbol.asyncDispose]();
  });
  describe.each(roles)('a trivial %s', (role) => {
    const own = subjects.filter((subject) => subject.role === role);
    test.each(own.map((subject) => [subject.id, subject.does, subject] as const))(
      '%s, which %s, passes nothing by accident',
      async (id, _does, subject) => {
        const observation = await laboratory.observe(subject, AbortSignal.timeout(LIMIT_MS));
        expect(accidentalPasses(observation, passes[id] ?? [])).toEqual([]);
      },
      LIMIT_MS,
    );
  });
}
