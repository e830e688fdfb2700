import { judge, reasonOf, Unjudgeable } from './finding.ts';
import type { Cause } from './cause.ts';
import { explainedGrossly, mayBeGross } from './gross-mistakes.ts';
import { LITERAL } from './preparation.ts';
import type { Preparations } from './preparation.ts';
import { beginRecord, bounded, NO_EVIDENCE, playOut, unclaimed } from './recording.ts';
import type { Permutation, ResultRecord } from './record.ts';
import { severityOf } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import type { ServerScenario } from './scenario.ts';
import type { Setting } from './setting.ts';
import { Stage } from './stage.ts';

/** What a pass amounts to on a target that serves everything. */
const ACCIDENTAL = new Unjudgeable(
  'inconclusive',
  'target',
  'every request of this scenario was served, but the target also serves a request with neither a valid token nor a valid proof, so this shows nothing; see RS-FLD-1 and RS-SIG-1',
);

/**
 * Plays one scenario of the resource-server role on one target under one permutation and judges it. Never throws: whatever goes
 * wrong becomes a verdict with its attribution.
 */
export async function execute(
  scenario: ServerScenario,
  permutation: Permutation,
  requirement: Requirement,
  setting: Setting,
  preparations: Preparations,
  signal?: AbortSignal,
): Promise<ResultRecord> {
  const record = beginRecord(scenario, permutation, requirement, setting.target.name);
  const stranger = unclaimed(scenario, permutation, setting.target.capabilities);
  if (stranger !== undefined) return record(judge([], stranger), NO_EVIDENCE);
  const preparation = await bounded(preparations.for(permutation), scenario.timeLimitMs, signal).catch(
    reasonOf,
  );
  if (preparation instanceof Unjudgeable) {
    if (!scenario.judgesControl || preparation.verdict === 'not-applicable')
      return { ...record(judge([], preparation), NO_EVIDENCE), ...doubtsOf(preparation, preparations) };
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
      NO_EVIDENCE,
    );
  }

  const unprepared = preparation instanceof Unjudgeable;
  const stage = new Stage(
    setting,
    unprepared ? explained(scenario, preparation.likelyCause) : scenario,
    permutation,
    severityOf(requirement, scenario.id, setting.strict),
    unprepared ? LITERAL : preparation,
    !unprepared,
  );
  const { findings, ended } = await playOut(stage, () => scenario.run(stage), scenario.timeLimitMs, signal);
  const told =
    !unprepared && findings.some(mayBeGross)
      ? explainedGrossly(findings, await preparations.grossMistakes(permutation, preparation))
      : findings;
  const judgement = judge(told, ended);
  const accidental =
    judgement.verdict === 'pass' && stage.sawOnlyServed && (await preparations.servesAnything(permutation));
  const again =
    !unprepared &&
    signal?.aborted !== true &&
    judgement.attribution !== 'harness' &&
    (judgement.verdict === 'inconclusive' ||
      stage.validRejected ||
      (judgement.verdict === 'not-applicable' && stage.unanswered));
  return {
    ...record(accidental ? judge([], ACCIDENTAL) : judgement, stage.evidence.close()),
    ...(again ? { again } : {}),
    ...(stage.unanswered ? { unanswered: true } : {}),
    ...(unprepared ? doubtsOf(preparation, preparations) : {}),
  };
}

/** A permutation may be out of reach only because other scenarios take up the room, where others were within reach. */
function doubtsOf(
  { attribution }: Unjudgeable,
  preparations: Preparations,
): Pick<ResultRecord, 'again' | 'unanswered'> {
  if (attribution !== 'target' || !preparations.unanswered) return {};
  return preparations.servedSome ? { again: true, unanswered: true } : { unanswered: true };
}

/** The diagnosis found out why the valid request is rejected; it explains that, and nothing else that the scenario finds. */
function explained(scenario: ServerScenario, diagnosis: string | null): ServerScenario {
  if (diagnosis === null) return scenario;
  const own: Cause | null =
    typeof scenario.cause === 'string'
      ? { served: scenario.cause, statement: scenario.cause }
      : scenario.cause;
  return { ...scenario, cause: { ...own, rejected: diagnosis } };
}
