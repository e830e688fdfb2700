import type { AuthorizationServerScenario } from './authorization-server/authorization-server-scenario.ts';
import type { Cause } from './cause.ts';
import type { ClientScenario } from './client/client-scenario.ts';
import type { Across } from './permutation.ts';
import type { Role } from './record.ts';
import type { Stage } from './stage.ts';

/** What every scenario states of itself: one normative statement, and when it can be tried. */
export interface ScenarioOutline {
  /** The requirement's id, with a suffix where it has several: `RS-EKM-5`, `RS-HDR-1.untyped`. Stable, never reused. */
  readonly id: string;
  readonly role: Role;
  /** The suite it belongs to: its file's name. */
  readonly suite: string;
  /** The statement in one sentence, with the role as the subject left out: "refuses a proof that …". */
  readonly title: string;
  /** The permutations under which the outcome can differ. Default: none, the core one. */
  readonly across: Across;
  /** Capabilities that the target must claim. */
  readonly capabilities: readonly string[];
  /** The likely mistake and its cure, by what came of an attempt, if a variation does not say; `null`: not known. */
  readonly cause: Cause | null;
  /** True where it waits for time itself to pass: such ones are begun first, so that the others fill the wait. */
  readonly waits: boolean;
  /** Bound on the whole scenario, in milliseconds. */
  readonly timeLimitMs: number;
}

/** A scenario that judges a server by its answers: the verbs that try its statement. */
export interface ServerScenario extends ScenarioOutline {
  readonly role: 'resource-server' | 'intermediary';
  /** Properties that the target must show, beyond capabilities. */
  readonly needs: readonly Need[];
  /** True for the few scenarios that judge the right request itself; all others need it to be served first. */
  readonly judgesControl: boolean;
  /** True for those that judge what comes of valid requests one after the other, and of nothing else. */
  readonly judgesSequence: boolean;
  run(stage: Stage): Promise<void>;
}

/** A scenario of any role. */
export type Scenario = ServerScenario | ClientScenario | AuthorizationServerScenario;

/**
 * - `persistent-connection`: serves several requests on one connection
 * - `resumption`: resumes TLS sessions
 */
export type Need = 'persistent-connection' | 'resumption';

/** What a scenario's file states; the rest has defaults. */
export type ScenarioDefinition = Pick<ServerScenario, 'id' | 'title' | 'run'> &
  Partial<Omit<ServerScenario, 'id' | 'title' | 'run' | 'role' | 'suite'>>;

/**
 * The scenarios of one suite file of a role that is judged by its answers.
 *
 * @param suite the suite's name, as in `--suite`
 */
export function suite(
  role: ServerScenario['role'],
  name: string,
  definitions: readonly ScenarioDefinition[],
): readonly ServerScenario[] {
  return definitions.map((definition) => ({
    across: {},
    capabilities: [],
    needs: [],
    judgesControl: false,
    judgesSequence: false,
    cause: null,
    waits: false,
    timeLimitMs: 30_000,
    ...definition,
    role,
    suite: name,
  }));
}
