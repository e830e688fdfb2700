import type { Level, Role } from './record.ts';

/** What a scenario that does not hold means. */
export type Severity = 'fail' | 'warn' | 'info';

/** One row of the requirement catalogue. */
export interface Requirement {
  readonly id: string;
  readonly role: Role;
  readonly level: Level;
  /** Section numbers of draft -06. */
  readonly sections: string;
  readonly area: string;
  /** The normative statement, in one or two sentences. */
  readonly statement: string;
  readonly ambiguities: readonly string[];
  /** Why no scenario tests it. Exactly the rows without scenario have this or `coveredBy`. */
  readonly untested?: string;
  /** Scenarios of other rows that decide this one too. */
  readonly coveredBy?: readonly string[];
  /** Scenarios whose severity is not the level's, with the reason in the ambiguity ledger or the row's statement. */
  readonly severity?: Readonly<Record<string, Severity>>;
}

/** A matter on which the draft is silent or contradicts itself, and the stance that the suite takes. */
export interface Ambiguity {
  readonly id: string;
  readonly sections: string;
  readonly issue: string;
  readonly stance: string;
}

/** The requirement that a scenario id belongs to: `RS-HDR-1.untyped` → `RS-HDR-1`. */
export function requirementIdOf(scenarioId: string): string {
  const dot = scenarioId.indexOf('.');
  return dot < 0 ? scenarioId : scenarioId.slice(0, dot);
}

const BY_LEVEL: Readonly<Record<Level, Severity>> = {
  MUST: 'fail',
  'MUST NOT': 'fail',
  SECURITY: 'fail',
  SHOULD: 'warn',
  MAY: 'info',
  AMBIGUOUS: 'info',
};

/**
 * What it means when a scenario does not hold: the requirement's level, unless its catalogue row says
 * otherwise. The strict profile takes every warning as a failure.
 */
export function severityOf(requirement: Requirement, scenarioId: string, strict: boolean): Severity {
  const severity = requirement.severity?.[scenarioId] ?? BY_LEVEL[requirement.level];
  return strict && severity === 'warn' ? 'fail' : severity;
}
