import type { EvidenceBook } from './evidence.ts';
import type { Finding } from './finding.ts';
import type { AttackEvidence } from './record.ts';
import type { Severity } from './requirement.ts';

/** Gathers what a scenario finds out; its findings make the verdict. */
export class FindingBook {
  readonly findings: Finding[] = [];
  readonly severity: Severity;
  readonly #evidence: EvidenceBook;

  /** @param severity of a statement that does not hold */
  constructor(evidence: EvidenceBook, severity: Severity) {
    this.#evidence = evidence;
    this.severity = severity;
  }

  /** A statement of the requirement does not hold. */
  broken(reason: string, cause: string | null): void {
    this.findings.push({
      severity: this.severity,
      reason: this.#evidence.redact(reason),
      cause,
      attribution: this.severity === 'info' ? 'specification' : 'target',
    });
  }

  /** What would be judged could not be measured. */
  unmeasured(reason: string): void {
    this.findings.push({
      severity: 'inconclusive',
      reason: this.#evidence.redact(reason),
      cause: null,
      attribution: 'target',
    });
  }

  /** It is as it must be, though in a manner that deserves notice. */
  warned(reason: string, cause: string): void {
    this.findings.push({
      severity: 'warn',
      reason: this.#evidence.redact(reason),
      cause,
      attribution: 'target',
    });
  }

  /** An observation where the draft leaves the matter open. Makes the verdict `info` when nothing graver is found. */
  observed(observation: string): void {
    this.findings.push({
      severity: 'info',
      reason: this.#evidence.redact(observation),
      cause: null,
      attribution: 'specification',
    });
  }

  /** An attack from end to end; judged by whether any attempt succeeded. */
  attacked(story: Omit<AttackEvidence, 'outcome'>, cause: string | null): void {
    const succeeded = story.attempts.filter((attempt) => attempt.succeeded);
    this.#evidence.attacked({
      ...story,
      outcome:
        succeeded.length === 0
          ? 'The attack failed: nothing of what was stolen was of use.'
          : `The attack succeeded in ${succeeded.length} of ${story.attempts.length} attempts.`,
    });
    for (const attempt of succeeded) this.broken(`${attempt.attempt}: ${attempt.outcome}`, cause);
  }
}
