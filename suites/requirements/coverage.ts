import { requirementIdOf } from '../../harness/scenario/requirement.ts';
import type { Requirement } from '../../harness/scenario/requirement.ts';
import { SCENARIOS } from '../scenarios.ts';
import { AMBIGUITIES, REQUIREMENTS } from './catalogue.ts';

/** A requirement with the scenarios that lead to it and the ambiguities it touches. */
export interface Covered extends Omit<Requirement, 'ambiguities'> {
  readonly scenarios: readonly string[];
  readonly ambiguities: readonly { readonly id: string; readonly issue: string; readonly stance: string }[];
}

/** Every requirement with its scenarios: its own, by their ids, and those of other rows that decide it too. */
export function coverage(): readonly Covered[] {
  return REQUIREMENTS.map((row) => ({
    ...row,
    scenarios: [
      ...SCENARIOS.map((scenario) => scenario.id).filter((id) => requirementIdOf(id) === row.id),
      ...(row.coveredBy ?? []),
    ],
    ambiguities: AMBIGUITIES.filter((entry) => row.ambiguities.includes(entry.id)).map(
      ({ id, issue, stance }) => ({ id, issue, stance }),
    ),
  }));
}
