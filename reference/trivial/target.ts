/** The variables of the target contract. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A target that does one thing whatever it is asked: it checks nothing, so that nothing that it does right can be for the
 * right reason. What a scenario finds in order on it, the scenario did not try.
 */
export interface TrivialTarget {
  /** `T-RS-all-200`; stable, never reused. */
  readonly id: string;
  readonly role: 'resource-server' | 'client' | 'intermediary' | 'authorization-server';
  /** What it does, in one sentence. */
  readonly does: string;
  /** Starts it as a target of the contract. */
  start(environment: Environment): Promise<{ close(): Promise<void>; reload?(): Promise<void> }>;
}
