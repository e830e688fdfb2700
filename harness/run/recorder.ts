import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import type { ResultRecord } from '../scenario/record.ts';
import './plan.ts';

/** Verdicts beside which a reader wants to see what the target said meanwhile. */
const WITH_LOG: ReadonlySet<ResultRecord['verdict']> = new Set(['fail', 'warn', 'inconclusive']);
const LOG_LINES = 20;

/** Where the recorder gets a target's log from and puts what it gathers. */
export interface Recording {
  /** Called for each result as its scenario ends. */
  result(record: ResultRecord): void;
  /** The last lines of a target's log. */
  log(target: string): readonly string[];
}

/** The vitest reporter that gathers the records which conformance tests leave in their meta data. */
export class Recorder implements Reporter {
  readonly results: ResultRecord[] = [];
  readonly problems: string[] = [];
  handshakes = 0;
  requests = 0;
  readonly #recording: Recording;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  onTestCaseResult(testCase: TestCase): void {
    const { record, traffic } = testCase.meta();
    if (traffic !== undefined) {
      this.handshakes += traffic.handshakes;
      this.requests += traffic.requests;
    }
    if (record === undefined) {
      const errors = testCase.result().errors ?? [];
      if (errors.length > 0)
        this.problems.push(
          `${testCase.name} left no result: ${errors.map((error) => error.message).join('; ')}`,
        );
      return;
    }
    const log = WITH_LOG.has(record.verdict) ? this.#recording.log(record.target).slice(-LOG_LINES) : [];
    const complete = log.length === 0 ? record : { ...record, evidence: { ...record.evidence, log } };
    this.results.push(complete);
    this.#recording.result(complete);
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const error of errors)
      this.problems.push(`the harness failed outside of a scenario: ${error.message}`);
    for (const module of modules) {
      for (const error of module.errors())
        this.problems.push(`the harness could not load ${module.relativeModuleId}: ${error.message}`);
    }
  }
}
