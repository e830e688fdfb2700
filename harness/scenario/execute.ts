import { ConnectFailure } from '../wire/connection.ts';
import { judge, Unjudgeable } from './finding.ts';
import { LITERAL } from './preparation.ts';
import type { Preparations } from './preparation.ts';
import type { Evidence, Permutation, ResultRecord } from './record.ts';
import { requirementIdOf, severityOf } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import type { Scenario } from './scenario.ts';
import type { Setting } from './setting.ts';
import { Stage } from './stage.ts';

/** Capabilities that a permutation itself demands. */
function demanded(scenario: Scenario, permutation: Permutation): readonly string[] {
  return [...scenario.capabilities, permutation.tls === 'TLSv1.2' ? 'tls1.2' : 'tls1.3', permutation.http];
}

/**
 * Plays one scenario on one target under one permutation and judges it. Never throws: whatever goes
 * wrong becomes a verdict with its attribution.
 */
export async function execute(scenario: Scenario, permutation: Permutation, requirement: Requirement, setting: Setting, preparations: Preparations): Promise<ResultRecord> {
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

  const missing = demanded(scenario, permutation).filter((capability) => !setting.target.capabilities.has(capability));
  if (missing.length > 0) {
    return record(judge([], new Unjudgeable('not-applicable', 'target', `the target does not claim ${missing.join(', ')}`)), empty);
  }
  const preparation = await preparations.for(permutation);
  if (preparation instanceof Unjudgeable) {
    if (!scenario.judgesControl || preparation.verdict === 'not-applicable') return record(judge([], preparation), empty);
  } else if (scenario.needs.includes('persistent-connection') && !preparation.persistent) {
    return record(judge([], new Unjudgeable('not-applicable', 'target', 'the target ends each connection after one response, so there is no second request to judge')), empty);
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
    await bounded(scenario.run(stage), scenario.timeLimitMs);
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

function reasonOf(error: unknown): Unjudgeable {
  if (error instanceof Unjudgeable) return error;
  if (error instanceof ConnectFailure) {
    return new Unjudgeable('inconclusive', error.outcome.kind === 'refused' ? 'environment' : 'target', `a connection that the scenario needs was not established: ${error.message}`);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Unjudgeable('inconclusive', 'harness', `the harness failed: ${text}`);
}

async function bounded(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Unjudgeable('inconclusive', 'target', `not finished within ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
