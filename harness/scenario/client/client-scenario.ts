import type { Identity } from '../../../certs/identity.ts';
import type { Permutation } from '../record.ts';
import type { ScenarioOutline } from '../scenario.ts';
import type { ClientSetting } from './client-setting.ts';
import type { ClientStage } from './client-stage.ts';

/** A scenario of the client role. */
export interface ClientScenario extends ScenarioOutline {
  readonly role: 'client';
  /** Which claims the client is told to put into its proofs (`TSBT_PROOF_CLAIMS`); `request` needs `per-request-claims`. */
  readonly proofClaims: 'connection' | 'request';
  /** True where what the scenario does to the client must not reach another scenario, such as another certificate. */
  readonly ownInstance: boolean;
  /** Makes the certificate and key that the client is started with, for an instance of its own. Default: the PKI's, by key type. */
  readonly identity?: (setting: ClientSetting, permutation: Permutation) => Promise<Identity>;
  /** True for the scenario whose verdict covers every proof that arrived in the run, in whichever scenario. */
  readonly judgesEveryProof: boolean;
  run(stage: ClientStage): Promise<void>;
}

/** What a scenario's file states; the rest has defaults. */
export type ClientScenarioDefinition = Pick<ClientScenario, 'id' | 'title' | 'run'> &
  Partial<Omit<ClientScenario, 'id' | 'title' | 'run' | 'role' | 'suite' | 'judgesControl' | 'needs'>>;

/**
 * The scenarios of one suite file of the client role.
 *
 * @param suite the suite's name, as in `--suite`
 */
export function clientSuite(
  suite: string,
  definitions: readonly ClientScenarioDefinition[],
): readonly ClientScenario[] {
  return definitions.map((definition) => ({
    across: {},
    cause: null,
    waits: false,
    timeLimitMs: 30_000,
    proofClaims: 'connection',
    ownInstance: false,
    judgesEveryProof: false,
    ...definition,
    capabilities: [
      ...(definition.capabilities ?? []),
      ...(definition.proofClaims === 'request' ? ['per-request-claims'] : []),
    ],
    role: 'client',
    suite,
  }));
}
