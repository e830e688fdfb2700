import { proofsVariants } from './proofs.ts';
import { transportVariants } from './transport.ts';
import type { Variant } from './variant.ts';

/** Every harmless variant of the client. */
export const VARIANTS: readonly Variant[] = [...proofsVariants, ...transportVariants];
