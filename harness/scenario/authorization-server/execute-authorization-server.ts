import { judge, Unjudgeable } from '../finding.ts';
import { beginRecord, NO_EVIDENCE, playOut, unclaimed } from '../recording.ts';
import type { Permutation, ResultRecord } from '../record.ts';
import { severityOf } from '../requirement.ts';
import type { Requirement } from '../requirement.ts';
import type { AuthorizationServerScenario } from './authorization-server-scenario.ts';
import type { AuthorizationServerSetting } from './authorization-server-setting.ts';
import { AuthorizationServerStage } from './authorization-server-stage.ts';
import { tokenOf } from './issued.ts';

/**
 * Plays one scenario of the authorization-server role on one target under one permutation and judges it. Never throws:
 * whatever goes wrong becomes a verdict with its attribution.
 */
export async function executeAuthorizationServer(
  scenario: AuthorizationServerScenario,
  permutation: Permutation,
  requirement: Requirement,
  setting: AuthorizationServerSetting,
  signal?: AbortSignal,
): Promise<ResultRecord> {
  const record = beginRecord(scenario, permutation, requirement, setting.target.name);
  const stranger = unclaimed(scenario, permutation, setting.target.capabilities);
  if (stranger !== undefined) return record(judge([], stranger), NO_EVIDENCE);
  const severity = severityOf(requirement, scenario.id, setting.strict);
  const stage = new AuthorizationServerStage(setting, scenario, permutation, severity);
  const { findings, ended } = await playOut(stage, () => scenario.run(stage), scenario.timeLimitMs, signal);
  const judgement = judge(findings, ended);
  const accidental =
    judgement.verdict === 'pass' &&
    stage.sawOnlyGranted &&
    (await issuesAnything(
      setting,
      () => new AuthorizationServerStage(setting, scenario, permutation, severity),
    ));
  return record(accidental ? judge([], ACCIDENTAL) : judgement, stage.evidence.close());
}

/** What a pass amounts to on a target that issues tokens to everybody. */
const ACCIDENTAL = new Unjudgeable(
  'inconclusive',
  'target',
  'nothing was refused in this scenario, but the target also issues a token to an unknown client without a certificate or a known grant type, so this shows nothing; see AS-GRANT-1',
);

const indiscriminate = new WeakMap<AuthorizationServerSetting, Promise<boolean>>();

/** Whether a token is issued even for a request in which nothing is valid. Asked once per target, and only when a verdict depends on it. */
function issuesAnything(
  setting: AuthorizationServerSetting,
  open: () => AuthorizationServerStage,
): Promise<boolean> {
  let found = indiscriminate.get(setting);
  if (found === undefined) {
    found = nothingValid(open()).catch(() => false);
    indiscriminate.set(setting, found);
  }
  return found;
}

async function nothingValid(opened: AuthorizationServerStage): Promise<boolean> {
  await using stage = opened;
  const form = { grant_type: 'urn:tsbt:no-such-grant' };
  const answer = await stage.requestToken('nothing is valid', form, { by: null }, 'tsbt-nobody');
  return tokenOf(answer) !== null;
}
