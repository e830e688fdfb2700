import { issue } from '../../certs/issue.ts';
import { Benches } from '../bench/benches.ts';
import type { AuthorizationServerSetting } from '../scenario/authorization-server/authorization-server-setting.ts';
import { executeAuthorizationServer } from '../scenario/authorization-server/execute-authorization-server.ts';
import { connect } from '../wire/connect.ts';
import { executeClient } from '../scenario/client/execute-client.ts';
import { execute } from '../scenario/execute.ts';
import { Preparations } from '../scenario/preparation.ts';
import type { Permutation, ResultRecord } from '../scenario/record.ts';
import type { Requirement } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Setting } from '../scenario/setting.ts';
import { patience } from '../target/patience.ts';
import { clientSettingOf } from './client-setting.ts';
import { intermediaryPlayer } from './intermediary-player.ts';
import type { AuthorizationServerPlan, ClientPlan, Plan, ServerPlan } from './plan.ts';
import { settingOf } from './setting.ts';

/** Plays scenarios on the target of a plan, in this process. Ends what it has started when disposed. */
export interface Player extends AsyncDisposable {
  /** Never throws for what the target does. The scenario is one of the plan's role. */
  play(
    scenario: Scenario,
    permutation: Permutation,
    requirement: Requirement,
    signal?: AbortSignal,
  ): Promise<ResultRecord>;
}

/**
 * How many clients of one target run at once in a process: as many as scenarios are under way. One that runs already is
 * the only one there is, and a container takes its time to start and its share of memory.
 */
const MOST_CLIENTS = { module: 8, process: 8, container: 2, url: 1 } as const;

/** The player for a plan's role. On a busy machine scenarios have more time, as each of their requests has. */
export function playerOf(plan: Plan, effort: Setting['effort'] = 'full'): Player {
  const player = playerOfRole(plan, effort);
  return {
    play: (scenario, permutation, requirement, signal) =>
      player.play(
        { ...scenario, timeLimitMs: patience(scenario.timeLimitMs) },
        permutation,
        requirement,
        signal,
      ),
    [Symbol.asyncDispose]: () => player[Symbol.asyncDispose](),
  };
}

function playerOfRole(plan: Plan, effort: Setting['effort']): Player {
  switch (plan.role) {
    case 'client':
      return clientPlayer(plan, effort);
    case 'intermediary':
      return intermediaryPlayer(plan, effort);
    case 'authorization-server':
      return authorizationServerPlayer(plan, effort);
    case 'resource-server':
      return serverPlayer(plan, effort);
  }
}

function serverPlayer(plan: ServerPlan, effort: Setting['effort']): Player {
  const setting = settingOf(plan, effort);
  const preparations = new Preparations(setting);
  return {
    play: async (scenario, permutation, requirement, signal) => {
      if (scenario.role !== plan.role) throw ofAnotherRole(scenario, plan);
      return execute(scenario, permutation, requirement, setting, preparations, signal);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function clientPlayer(plan: ClientPlan, effort: Setting['effort']): Player {
  const { manifest, pki } = plan;
  const benches = new Benches({
    manifest,
    server: pki.server,
    vantage: plan.vantage,
    authorities: pki.trusted.certificate,
    most: MOST_CLIENTS[manifest.start.kind],
  });
  const setting = clientSettingOf(plan, benches, effort);
  return {
    play: async (scenario, permutation, requirement, signal) => {
      if (scenario.role !== plan.role) throw ofAnotherRole(scenario, plan);
      return executeClient(scenario, permutation, requirement, setting, signal);
    },
    [Symbol.asyncDispose]: () => benches[Symbol.asyncDispose](),
  };
}

function authorizationServerPlayer(plan: AuthorizationServerPlan, effort: Setting['effort']): Player {
  const { target, profile, strict, pki, registry, patienceMs } = plan;
  const setting: AuthorizationServerSetting = {
    target: { ...target, capabilities: new Set(target.capabilities) },
    issuer: plan.issuerIdentifier,
    registry,
    profile,
    strict,
    pki,
    credentials: null,
    open: connect,
    issue,
    get patienceMs() {
      return patience(patienceMs);
    },
    effort,
  };
  return {
    play: async (scenario, permutation, requirement, signal) => {
      if (scenario.role !== plan.role) throw ofAnotherRole(scenario, plan);
      return executeAuthorizationServer(scenario, permutation, requirement, setting, signal);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function ofAnotherRole({ id }: Scenario, { role }: Plan): Error {
  return new Error(`the plan for the role ${role} names ${id}, a scenario of another role`);
}
