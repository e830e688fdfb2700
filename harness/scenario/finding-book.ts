import type { EvidenceBook } from './evidence.ts';
import type { Finding } from './finding.ts';
import { explain } from './cause.ts';
import type { Cause } from './cause.ts';
import type { AttackEvidence, Deviation } from './record.ts';
import type { Severity } from './requirement.ts';

/** An attack as a scenario tells it. */
export interface AttackStory extends Omit<AttackEvidence, 'outcome' | 'attempts'> {
  readonly attempts: readonly (AttackEvidence['attempts'][number] & {
    /** What it means that just this attempt succeeds: the likely mistake and its cure. */
    readonly cause?: string;
    /** The fields in which its request differs from a valid one. */
    readonly differs?: readonly string[];
  })[];
}

/** Gathers what a scenario finds out; its findings make the verdict. */
export class FindingBook {
  readonly findings: Finding[] = [];
  readonly severity: Severity;
  readonly cause: Cause | null;
  readonly #evidence: EvidenceBook;

  /**
   * @param severity of a statement that does not hold
   * @param cause of the scenario
   */
  constructor(evidence: EvidenceBook, severity: Severity, cause: Cause | null) {
    this.#evidence = evidence;
    this.severity = severity;
    this.cause = cause;
  }

  /**
   * The requirement is broken.
   *
   * @param deviation what the attempt came to instead
   * @param own what is known of the mistake behind this attempt; `undefined`: no more than of the scenario's
   * @param plain what `own` explains as a string
   * @param differs in what a request that was served differs from a valid one
   */
  broken(
    reason: string,
    deviation: Deviation,
    own?: Cause | null,
    plain?: readonly Deviation[],
    differs?: readonly string[],
  ): void {
    this.findings.push({
      severity: this.severity,
      reason: this.#evidence.redact(reason),
      cause: explain(deviation, this.cause, own, plain),
      deviation,
      ...(differs !== undefined && { differs }),
      attribution: this.severity === 'info' ? 'specification' : 'target',
    });
  }

  /** What would be judged could not be measured. */
  unmeasured(reason: string): void {
    this.findings.push({
      severity: 'inconclusive',
      reason: this.#evidence.redact(reason),
      cause: null,
      deviation: null,
      attribution: 'target',
    });
  }

  /** It is as it must be, though in a manner that deserves notice. */
  warned(reason: string, cause: string): void {
    this.findings.push({
      severity: 'warn',
      reason: this.#evidence.redact(reason),
      cause,
      deviation: null,
      attribution: 'target',
    });
  }

  /** An observation where the draft leaves the matter open. Makes the verdict `info` when nothing graver is found. */
  observed(observation: string): void {
    this.findings.push({
      severity: 'info',
      reason: this.#evidence.redact(observation),
      cause: null,
      deviation: null,
      attribution: 'specification',
    });
  }

  /** An attack from end to end; judged by whether any attempt succeeded. */
  attacked({ attempts, ...story }: AttackStory, cause?: Cause | null): void {
    const succeeded = attempts.filter((attempt) => attempt.succeeded);
    this.#evidence.attacked({
      ...story,
      attempts: attempts.map((one) => ({
        attempt: one.attempt,
        outcome: one.outcome,
        succeeded: one.succeeded,
      })),
      outcome:
        succeeded.length === 0
          ? 'The attack failed: nothing of what was stolen was of use.'
          : `The attack succeeded in ${succeeded.length} of ${attempts.length} attempts.`,
    });
    for (const { attempt, outcome, cause: own, differs } of succeeded)
      this.broken(`${attempt}: ${outcome}`, 'attack', own ?? cause, ['attack'], differs);
  }
}
