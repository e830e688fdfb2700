import { isMainThread } from 'node:worker_threads';
import { afterAll, describe, inject, test } from 'vitest';
import { permutationText } from '../scenario/permutation.ts';
import type { ResultRecord } from '../scenario/record.ts';
import { requirementIdOf } from '../scenario/requirement.ts';
import type { Requirement } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { MOST_TIMES } from '../target/patience.ts';
import { resetWireCounters, wireCounters } from '../wire/counters.ts';
import { playerOf } from './player.ts';
import './plan.ts';

/** How much longer than the longest time that a scenario may have the test runner waits, so that the scenario's verdict comes first. */
const GRACE_MS = 15_000;

/**
 * Hands every case of the injected plan to vitest as one test. Each leaves its record in the test's meta data;
 * what is not conformant, and not known, fails the test.
 */
export function conformanceTests(
  scenarios: readonly Scenario[],
  requirement: (id: string) => Requirement,
): void {
  const plan = inject('plan');
  const player = playerOf(plan);
  afterAll(() => player[Symbol.asyncDispose]());
  const byId = new Map(scenarios.map((scenario) => [scenario.id, scenario]));
  describe.concurrent(plan.target.name, () => {
    for (const { scenario: id, permutation } of plan.cases) {
      const scenario = byId.get(id);
      if (scenario === undefined) throw new Error(`the plan names ${id}, and there is no such scenario`);
      const name = `${id} ${scenario.title} [${permutationText(permutation)}]`;
      test(
        name,
        { timeout: scenario.timeLimitMs * MOST_TIMES + GRACE_MS },
        async ({ task, skip, signal }) => {
          const record = await player.play(scenario, permutation, requirement(requirementIdOf(id)), signal);
          task.meta.record = record;
          task.meta.traffic = takeTraffic();
          if (record.verdict === 'not-applicable') skip(record.reason ?? 'not applicable');
          const complaint = complaintAbout(record, id in plan.knownFailures);
          if (complaint !== undefined) throw new Error(complaint);
        },
      );
    }
  });
}

function complaintAbout(record: ResultRecord, known: boolean): string | undefined {
  const unexpected = record.verdict === 'fail' ? !known : record.verdict === 'inconclusive';
  if (!unexpected) return undefined;
  return [`${record.verdict}: ${record.reason ?? ''}`, record.cause]
    .filter((line) => line !== null)
    .join('\n');
}

function takeTraffic(): { readonly handshakes: number; readonly requests: number } {
  const { handshakes, requests } = wireCounters();
  resetWireCounters();
  return { handshakes, requests };
}

// Ctrl-C reaches the whole process group. A forked worker has to outlive it until the main process has ended
// the run in order; the main process has handlers of its own.
if (isMainThread && process.listenerCount('SIGINT') === 0) process.on('SIGINT', () => undefined);
