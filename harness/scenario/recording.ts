import { reasonOf, Unjudgeable } from './finding.ts';
import type { Finding, Judgement } from './finding.ts';
import type { Evidence, Permutation, ResultRecord } from './record.ts';
import { requirementIdOf } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import type { ScenarioOutline } from './scenario.ts';

/** What a scenario leaves behind that was never begun. */
export const NO_EVIDENCE: Evidence = { connections: [], exchanges: [], pairs: [], notes: [] };

/**
 * Begins the record of a scenario.
 *
 * @param target the target's name
 * @returns what completes it, with the time since now
 */
export function beginRecord(
  scenario: ScenarioOutline,
  permutation: Permutation,
  requirement: Requirement,
  target: string,
): (judgement: Judgement, evidence: Evidence) => ResultRecord {
  const started = performance.now();
  return (judgement, evidence) => ({
    target,
    scenario: scenario.id,
    requirement: requirementIdOf(scenario.id),
    level: requirement.level,
    suite: scenario.suite,
    title: scenario.title,
    permutation,
    ...judgement,
    durationMs: Math.round((performance.now() - started) * 100) / 100,
    evidence,
  });
}

/** Why a scenario does not apply to a target under a permutation, going by what the target claims. */
export function unclaimed(
  scenario: ScenarioOutline,
  permutation: Permutation,
  capabilities: ReadonlySet<string>,
): Unjudgeable | undefined {
  const demanded = [
    ...scenario.capabilities,
    permutation.tls === 'TLSv1.2' ? 'tls1.2' : 'tls1.3',
    permutation.http,
  ];
  const missing = demanded.filter((capability) => !capabilities.has(capability));
  return missing.length === 0
    ? undefined
    : new Unjudgeable('not-applicable', 'target', `the target does not claim ${missing.join(', ')}`);
}

/**
 * Waits for work no longer than this, and no longer than the run goes on.
 *
 * @throws {Unjudgeable} where the wait ends before the work
 */
export async function bounded<T>(
  work: Promise<T>,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => end(new Unjudgeable('inconclusive', 'target', `not finished within ${milliseconds / 1000} s`)),
    milliseconds,
  );
  const onAbort = (): void => end(new Unjudgeable('inconclusive', 'environment', 'the run was interrupted'));
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await Promise.race([work, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * Plays a scenario to its end, within its time, and releases its stage.
 *
 * @returns what was found up to that end, and why it ended early, if it did. A scenario that is out of time may go on to see
 *   its connections end, and that is the suite's own doing
 */
export async function playOut(
  stage: AsyncDisposable & { readonly findings: readonly Finding[] },
  run: () => Promise<void>,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly findings: readonly Finding[]; readonly ended: Unjudgeable | undefined }> {
  let ended: Unjudgeable | undefined;
  try {
    await bounded(run(), milliseconds, signal);
  } catch (error) {
    ended = reasonOf(error);
  }
  const findings = [...stage.findings];
  try {
    await stage[Symbol.asyncDispose]();
  } catch (error) {
    ended ??= reasonOf(error);
  }
  return { findings, ended };
}
