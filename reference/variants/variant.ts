import type { TargetVariant } from '../resource-server/target.ts';

/** The reference, other but right: it differs where the draft leaves freedom, and no requirement is broken. */
export interface Variant {
  /** `V-RS-no-cache`; stable, never reused. */
  readonly id: string;
  /** What is different, in one sentence. */
  readonly difference: string;
  /** Capabilities of the reference that it does not have. */
  readonly lacks?: readonly string[];
  /** Capabilities that it has beside the reference's. */
  readonly gains?: readonly string[];
  /** Permutations under which the difference shows, such as `TLSv1.2 http/1.1 P-256`, where the commonest is not one. */
  readonly also?: readonly string[];
  /** Request fields by which a part of it tells another who is calling, as its manifest would name them. */
  readonly identityFields?: readonly string[];
  /** Builds the pieces anew for each start, so that two servers share no state. */
  variant(): TargetVariant;
}
