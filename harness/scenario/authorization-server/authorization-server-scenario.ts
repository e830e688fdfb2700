import type { ScenarioOutline } from '../scenario.ts';
import type { AuthorizationServerStage } from './authorization-server-stage.ts';

/** A scenario of the authorization-server role. */
export interface AuthorizationServerScenario extends ScenarioOutline {
  readonly role: 'authorization-server';
  run(stage: AuthorizationServerStage): Promise<void>;
}

/** What a scenario's file states; the rest has defaults. */
export type AuthorizationServerScenarioDefinition = Pick<
  AuthorizationServerScenario,
  'id' | 'title' | 'run'
> &
  Partial<Omit<AuthorizationServerScenario, 'id' | 'title' | 'run' | 'role' | 'suite'>>;

/**
 * The scenarios of one suite file of the authorization-server role.
 *
 * @param suite the suite's name, as in `--suite`
 */
export function authorizationServerSuite(
  suite: string,
  definitions: readonly AuthorizationServerScenarioDefinition[],
): readonly AuthorizationServerScenario[] {
  return definitions.map((definition) => ({
    across: {},
    capabilities: [],
    cause: null,
    waits: false,
    timeLimitMs: 30_000,
    ...definition,
    role: 'authorization-server',
    suite,
  }));
}
