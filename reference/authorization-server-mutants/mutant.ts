import type { AuthorizationServerVariant } from '../authorization-server/target.ts';

/** The reference authorization server with exactly one realistic mistake. */
export interface AuthorizationServerMutant {
  /** `M-AS-21`; stable, never reused. */
  readonly id: string;
  /** The mistake in one sentence, as its maker would have to confess it. */
  readonly mistake: string;
  /** Requirements that the mistake breaks: at least one scenario of each must fail. */
  readonly breaks: readonly string[];
  /** Permutations under which the mistake shows, where the core profile's own do not show it. */
  readonly also?: readonly string[];
  /** Capabilities that it claims beside the reference's. */
  readonly gains?: readonly string[];
  /** Builds the faulty pieces anew for each start, so that two servers share no state. */
  variant(): AuthorizationServerVariant;
}
