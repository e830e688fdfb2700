import { requirementIdOf, severityOf } from '../scenario/requirement.ts';
import type { Severity } from '../scenario/requirement.ts';
import type { Verdict } from '../scenario/record.ts';
import type { Comparison, Declared, Mismatch, Suite } from './compare.ts';
import { readKill } from './kill-sets.ts';
import type { KillSet } from './kill-sets.ts';
import { killSetOf } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Subject } from './subject.ts';

/** `kill-matrix.json`: what the suite catches, and what it leaves alone. */
export interface KillMatrix {
  readonly schema: 'https://tls-session-binding-conformance.invalid/kill-matrix/1';
  readonly role: string;
  readonly wallMs: number;
  readonly counts: Omit<Comparison, 'mismatches' | 'withoutKill'>;
  readonly subjects: readonly {
    readonly id: string;
    readonly form: Subject['form'];
    readonly what: string;
    readonly breaks: readonly string[];
    /** As in the kill sets: the scenario where it fails, with the verdict behind it where it is another one. */
    readonly found: KillSet;
    /** Scenario → what it found, in words, one for each thing it found; only where it found anything. */
    readonly reasons: Readonly<Record<string, readonly string[]>>;
    readonly verdicts: Readonly<Partial<Record<Verdict, number>>>;
    readonly durationMs: number;
  }[];
  readonly scenarios: readonly {
    readonly id: string;
    readonly severity: Severity | null;
    /** Mutants on which it fails, or warns where that is its severity. */
    readonly kills: readonly string[];
    /** Why it kills none. */
    readonly reason?: string;
  }[];
  readonly mismatches: readonly Mismatch[];
}

/** Puts the matrix together from what was found. */
export function killMatrix(
  role: string,
  wallMs: number,
  subjects: readonly Subject[],
  observations: readonly Observation[],
  comparison: Comparison,
  declared: Declared,
  suite: Suite,
): KillMatrix {
  const { mismatches, withoutKill: _listed, ...counts } = comparison;
  const found = subjects.flatMap((subject) => {
    const observation = observations.find((one) => one.subject === subject.id);
    return observation === undefined
      ? []
      : [{ subject, observation, entries: killSetOf(observation, subject.form) }];
  });
  return {
    schema: 'https://tls-session-binding-conformance.invalid/kill-matrix/1',
    role,
    wallMs,
    counts,
    subjects: found.map(({ subject: { id, form, what, breaks }, observation, entries }) => ({
      id,
      form,
      what,
      breaks,
      found: entries,
      reasons: Object.fromEntries(
        observation.findings
          .filter(({ verdict }) => verdict === 'fail' || verdict === 'warn' || verdict === 'info')
          .map(({ scenario, reason }) => [scenario, (reason ?? '').split('\n')]),
      ),
      verdicts: counted(observation),
      durationMs: observation.durationMs,
    })),
    scenarios: suite.scenarios.map((id) => {
      const row = suite.requirements.find((one) => one.id === requirementIdOf(id));
      const reason = declared.unkilled[id];
      return {
        id,
        severity: row === undefined ? null : severityOf(row, id, false),
        kills: found
          .filter(
            ({ subject, entries }) =>
              subject.form === 'mutant' && entries.some((entry) => readKill(entry).scenario === id),
          )
          .map(({ subject }) => subject.id),
        ...(reason === undefined ? {} : { reason }),
      };
    }),
    mismatches,
  };
}

function counted({ findings }: Observation): Partial<Record<Verdict, number>> {
  const counts: Partial<Record<Verdict, number>> = {};
  for (const { verdict } of findings) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}
