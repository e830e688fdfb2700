import type { Mutant } from './mutant.ts';
import { exporterMutants } from './exporter.ts';

/** Every mutant of the resource server. */
export const MUTANTS: readonly Mutant[] = [...exporterMutants];
