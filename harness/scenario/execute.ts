import { judge, reasonOf, Unjudgeable } from './finding.ts';
import { LITERAL } from './preparation.ts';
import type { Preparations } from './preparation.ts';
import type { Evidence, Permutation, ResultRecord } from './record.ts';
import { requirementIdOf, severityOf } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import type { Scenario } from './scenario.ts';
import type { Setting } from './setting.ts';
import { Stage } from './stage.ts';

/** Bound on finding out how the right request looks, with the diagnosis where it is not served. */
const PREPARATION_LIMIT_MS = 30_000;

/** Capabilities that a permutation itself demands. */
function demanded(scenario: Scenario, permutation: Permutation): readonly string[] {
  return [...scenario.capabilities, permutation.tls === 'TLSv1.2' ? 'tls1.2' : 'tls1.3', permutation.http];
}

/**
 * Plays one scenario on one target under one permutation and judges it. Never throws: whatever goes
 * wrong becomes a verdict with its attribution.
 */
export async function execute(
  scenario: Scenario,
  permutation: Permutation,
  requirement: Requirement,
  setting: Setting,
  preparations: Preparations,
  signal?: AbortSignal,
): Promise<ResultRecord> {
  const started = performance.now();
  const empty: Evidence = { connections: [], exchanges: [], pairs: [], notes: [] };
  const record = (judgement: ReturnType<typeof judge>, evidence: Evidence): ResultRecord => ({
    target: setting.target.name,
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

  const missing = demanded(scenario, permutation).filter(
    (capability) => !setting.target.capabilities.has(capability),
  );
  if (missing.length > 0) {
    return record(
      judge(
        [],
        new Unjudgeable('not-applicable', 'target', `the target does not claim ${missing.join(', ')}`),
      ),
      empty,
    );
  }
  const preparation = await bounded(preparations.for(permutation), PREPARATION_LIMIT_MS, signal).catch(
    reasonOf,
  );
  if (preparation instanceof Unjudgeable) {
    if (!scenario.judgesControl || preparation.verdict === 'not-applicable')
      return record(judge([], preparation), empty);
  } else if (scenario.needs.includes('persistent-connection') && !preparation.persistent) {
    return record(
      judge(
        [],
        new Unjudgeable(
          'not-applicable',
          'target',
          'the target ends each connection after one response, so there is no second request to judge',
        ),
      ),
      empty,
    );
  }

  const unprepared = preparation instanceof Unjudgeable;
  const stage = new Stage(
    setting,
    unprepared ? { ...scenario, cause: preparation.likelyCause ?? scenario.cause } : scenario,
    permutation,
    severityOf(requirement, scenario.id, setting.strict),
    unprepared ? LITERAL : preparation,
  );
  let ended: Unjudgeable | undefined;
  try {
    await bounded(scenario.run(stage), scenario.timeLimitMs, signal);
  } catch (error) {
    ended = reasonOf(error);
  }
  try {
    await stage[Symbol.asyncDispose]();
  } catch (error) {
    ended ??= reasonOf(error);
  }
  return record(judge(stage.findings, ended), stage.evidence.close());
}

/** Waits for work no longer than this, and no longer than the run goes on. */
async function bounded<T>(
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
