import type { Attribution, ResultRecord, Verdict } from '../scenario/record.ts';
import { killText } from './kill-sets.ts';
import type { KillSet } from './kill-sets.ts';
import type { Subject } from './subject.ts';

/** What one scenario found on a subject: the gravest of its verdicts, where it was played under several permutations. */
export interface Finding {
  readonly scenario: string;
  readonly verdict: Verdict;
  readonly attribution: Attribution | null;
  readonly reason: string | null;
  /** How many things it found; 0 where it passed. */
  readonly found: number;
  /** The likely cause, as a report would tell it. */
  readonly cause: string | null;
}

/** What the suite found on a subject. Plain data. */
export interface Observation {
  readonly subject: string;
  /** One for each scenario that was played. */
  readonly findings: readonly Finding[];
  /** Why the subject could not be tried, where that is so. */
  readonly problem?: string;
  readonly durationMs: number;
}

/** Gravest first, as far as catching a mistake goes. */
const GRAVITY: readonly Verdict[] = ['fail', 'warn', 'info', 'inconclusive', 'not-applicable', 'pass'];

/** The verdicts that count as having noticed something. */
const NOTICED: Readonly<Record<Subject['form'], readonly Verdict[]>> = {
  // What cannot be judged on a broken implementation is not what it was caught by.
  mutant: ['fail', 'warn', 'info'],
  variant: ['fail', 'warn', 'info', 'inconclusive', 'not-applicable'],
};

/** One finding for each scenario. */
export function findingsOf(results: readonly ResultRecord[]): readonly Finding[] {
  const gravest = new Map<string, Finding>();
  for (const { scenario, verdict, attribution, reason, cause } of results) {
    const before = gravest.get(scenario);
    const found = reason === null ? 0 : reason.split('\n').length;
    const graver = GRAVITY.indexOf(before?.verdict ?? 'pass') - GRAVITY.indexOf(verdict);
    // Of permutations alike, the one that found more: which of them was played first must not matter.
    if (before === undefined || graver > 0 || (graver === 0 && found > before.found))
      gravest.set(scenario, { scenario, verdict, attribution, reason, found, cause });
  }
  return [...gravest.values()];
}

/** The kill set that an observation shows, with exact entries. */
export function killSetOf({ findings }: Observation, form: Subject['form']): KillSet {
  const noticed = findings.filter(({ verdict }) => NOTICED[form].includes(verdict));
  return noticed
    .map(({ scenario, verdict, found }) => killText(scenario, verdict, found))
    .toSorted(naturally);
}

const collator = new Intl.Collator('en', { numeric: true });

/** `RS-EKM-2` before `RS-EKM-10`. */
export function naturally(a: string, b: string): number {
  return collator.compare(a, b);
}
