import { judge } from '../finding.ts';
import { beginRecord, NO_EVIDENCE, playOut, unclaimed } from '../recording.ts';
import type { Permutation, ResultRecord } from '../record.ts';
import { severityOf } from '../requirement.ts';
import type { Requirement } from '../requirement.ts';
import type { AuthorizationServerScenario } from './authorization-server-scenario.ts';
import type { AuthorizationServerSetting } from './authorization-server-setting.ts';
import { AuthorizationServerStage } from './authorization-server-stage.ts';

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
  return record(judge(findings, ended), stage.evidence.close());
}
