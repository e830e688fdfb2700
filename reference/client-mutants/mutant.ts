import type { ClientVariant } from '../sidecar/target.ts';

/** The reference client, in its sidecar, with exactly one realistic mistake. */
export interface ClientMutant {
  /** `M-CL-21`; stable, never reused. */
  readonly id: string;
  /** The mistake in one sentence, as its maker would have to confess it. */
  readonly mistake: string;
  /** Requirements that the mistake breaks: at least one scenario of each must fail. */
  readonly breaks: readonly string[];
  /** Permutations under which the mistake shows, such as `TLSv1.3 h2 RSA`, where the core profile's own do not show it. */
  readonly also?: readonly string[];
  /** Capabilities of the reference that it does not have. */
  readonly lacks?: readonly string[];
  /** Capabilities that it claims beside the reference's. */
  readonly gains?: readonly string[];
  /** Builds the faulty pieces anew for each start, so that two clients share no state. */
  variant(): ClientVariant;
}
