import type { TargetVariant } from '../resource-server/target.ts';

/** The reference with exactly one realistic mistake. */
export interface Mutant {
  /** `M-RS-21`; stable, never reused. */
  readonly id: string;
  /** The mistake in one sentence, as its maker would have to confess it. */
  readonly mistake: string;
  /** Requirements that the mistake breaks: at least one scenario of each must fail. */
  readonly breaks: readonly string[];
  /** Permutations under which the mistake shows, such as `TLSv1.3 h2 RSA`, where the core profile's own do not show it. */
  readonly also?: readonly string[];
  /** Capabilities of the reference that it does not claim. */
  readonly lacks?: readonly string[];
  /** Capabilities that it claims beside the reference's. */
  readonly gains?: readonly string[];
  /** Request fields by which a part of it tells another who is calling, as its manifest would name them. */
  readonly identityFields?: readonly string[];
  /** Builds the faulty pieces anew for each start, so that two servers share no state. */
  variant(): TargetVariant;
}
