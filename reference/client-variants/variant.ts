import type { ClientVariant } from '../sidecar/target.ts';

/** The reference client, in its sidecar, other but right: it differs where the draft leaves freedom, and no requirement is broken. */
export interface Variant {
  /** `V-CL-only-bound`; stable, never reused. */
  readonly id: string;
  /** What is different, in one sentence. */
  readonly difference: string;
  /** Capabilities of the reference that it does not have. */
  readonly lacks?: readonly string[];
  /** Capabilities that it has beside the reference's. */
  readonly gains?: readonly string[];
  /** Permutations under which the difference shows, such as `TLSv1.2 http/1.1 P-256`, where the commonest is not one. */
  readonly also?: readonly string[];
  /** Builds the pieces anew for each start, so that two clients share no state. */
  variant(): ClientVariant;
}
