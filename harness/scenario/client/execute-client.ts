import { judge, reasonOf, Unjudgeable } from '../finding.ts';
import { beginRecord, bounded, NO_EVIDENCE, playOut, unclaimed } from '../recording.ts';
import type { Permutation, ResultRecord } from '../record.ts';
import { severityOf } from '../requirement.ts';
import type { Requirement } from '../requirement.ts';
import type { ClientScenario } from './client-scenario.ts';
import type { ClientSetting } from './client-setting.ts';
import { ClientStage } from './client-stage.ts';
import { addedUp, NO_PROOFS } from './proof-tally.ts';

/** Bound on getting a client under test: others may be in use, and one may have to be started. */
const BENCH_LIMIT_MS = 60_000;

/**
 * Plays one scenario of the client role on one target under one permutation and judges it. Never throws: whatever
 * goes wrong becomes a verdict with its attribution.
 *
 * What cannot be judged on a client that other scenarios had before is played once more on a client of its own: a
 * broken one may have brought along what they left it with, such as an exporter value of theirs.
 */
export async function executeClient(
  scenario: ClientScenario,
  permutation: Permutation,
  requirement: Requirement,
  setting: ClientSetting,
  signal?: AbortSignal,
): Promise<ResultRecord> {
  const { result, used } = await play(scenario, permutation, requirement, setting, signal);
  const inconclusive = result.verdict === 'inconclusive' && result.attribution === 'target';
  if (!used || !inconclusive || signal?.aborted === true) return result;
  const own = await play({ ...scenario, ownInstance: true }, permutation, requirement, setting, signal);
  if (own.result.verdict === 'not-applicable') return result;
  const { evidence } = own.result;
  const note = `On a client that other scenarios had before: ${result.reason ?? 'inconclusive'}`;
  return {
    ...own.result,
    proofs: addedUp([result.proofs ?? NO_PROOFS, own.result.proofs ?? NO_PROOFS]),
    evidence: { ...evidence, notes: [...evidence.notes, note] },
  };
}

interface Played {
  readonly result: ResultRecord;
  /** Whether the client was used by other scenarios before. */
  readonly used: boolean;
}

async function play(
  scenario: ClientScenario,
  permutation: Permutation,
  requirement: Requirement,
  setting: ClientSetting,
  signal: AbortSignal | undefined,
): Promise<Played> {
  const record = beginRecord(scenario, permutation, requirement, setting.target.name);
  const stranger = unclaimed(scenario, permutation, setting.target.capabilities);
  if (stranger !== undefined) return { result: record(judge([], stranger), NO_EVIDENCE), used: false };
  const severity = severityOf(requirement, scenario.id, setting.strict);
  const opening = ClientStage.open(setting, scenario, permutation, severity);
  let stage: ClientStage;
  try {
    stage = await bounded(opening, BENCH_LIMIT_MS, signal);
  } catch (error) {
    // Should it come after all, it is for nobody.
    void opening.then(
      (late) => late[Symbol.asyncDispose](),
      () => undefined,
    );
    return { result: record(judge([], unstartable(error, permutation)), NO_EVIDENCE), used: false };
  }
  const { findings, ended } = await playOut(stage, () => scenario.run(stage), scenario.timeLimitMs, signal);
  const result = { ...record(judge(findings, ended), stage.evidence.close()), proofs: stage.proofTally };
  return { result, used: stage.onUsedClient };
}

/** A client that cannot be started with a key of another type than the usual one need not support it. */
function unstartable(error: unknown, { key }: Permutation): Unjudgeable {
  if (!(error instanceof Error && error.name === 'TargetProblem')) return reasonOf(error);
  return key === 'P-256'
    ? new Unjudgeable('inconclusive', 'target', `the client could not be started: ${error.message}`)
    : new Unjudgeable(
        'not-applicable',
        'target',
        `the client could not be started with a ${key} key: ${error.message}`,
      );
}
