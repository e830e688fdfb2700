import type { AuthorizationServerVariant } from '../authorization-server/target.ts';

/** The reference authorization server, other but right: it differs where the draft leaves freedom. */
export interface HarmlessVariant {
  /** `V-AS-opaque`; stable, never reused. */
  readonly id: string;
  /** What is different, in one sentence. */
  readonly difference: string;
  /** Capabilities of the reference that it does not have. */
  readonly lacks?: readonly string[];
  /** Capabilities that it has beside the reference's. */
  readonly gains?: readonly string[];
  /** Permutations under which the difference shows, where the commonest is not one. */
  readonly also?: readonly string[];
  /** Builds the pieces anew for each start, so that two servers share no state. */
  variant(): AuthorizationServerVariant;
}
