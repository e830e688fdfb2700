import { availableParallelism } from 'node:os';
import { createVitest } from 'vitest/node';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';
import { watchInterruption } from '../run/interruption.ts';
import { deal, matrixProject } from './matrix-project.ts';
import type { Observation } from './observation.ts';
import type { Subject } from './subject.ts';

/** Parts for each processor: small enough that no processor is idle for long at the end, large enough to start few processes. */
const PARTS_PER_PROCESSOR = 3;

/** The outcome of trying the suite on mutants and variants. */
export interface Matrix {
  /** In the order of the subjects. */
  readonly observations: readonly Observation[];
  /** Faults of the harness outside of a scenario. */
  readonly problems: readonly string[];
  readonly interrupted: boolean;
}

export interface MatrixRequest {
  readonly subjects: readonly Subject[];
  /** How many processes at once. Default: one for each processor. */
  readonly workers?: number;
  /** The part of the matrix that is this machine's, as in vitest: `2/4`. */
  readonly shard?: string;
  readonly observed: (observation: Observation) => void;
}

/** Plays every scenario on every subject, through vitest, on all processors. */
export async function playMatrix({
  subjects,
  workers = availableParallelism(),
  shard,
  observed,
}: MatrixRequest): Promise<Matrix> {
  using interruption = watchInterruption();
  const recorder = new MatrixRecorder(observed);
  const parts = deal(subjects, workers * PARTS_PER_PROCESSOR);
  const vitest = await createVitest({
    run: true,
    watch: false,
    config: false,
    projects: parts.map((part, index) => matrixProject(`part ${index + 1}`, part)),
    maxWorkers: workers,
    ...(shard === undefined ? {} : { shard }),
    reporters: [recorder],
    api: false,
    cache: false,
    passWithNoTests: false,
  });
  interruption.stopWith(() => void vitest.cancelCurrentRun('keyboard-input'));
  try {
    if (!interruption.interrupted) await vitest.start();
  } finally {
    await vitest.close();
  }
  const order = subjects.map(({ id }) => id);
  return {
    observations: recorder.observations.toSorted(
      (a, b) => order.indexOf(a.subject) - order.indexOf(b.subject),
    ),
    problems: recorder.problems,
    interrupted: interruption.interrupted,
  };
}

class MatrixRecorder implements Reporter {
  readonly observations: Observation[] = [];
  readonly problems: string[] = [];
  readonly #observed: (observation: Observation) => void;

  constructor(observed: (observation: Observation) => void) {
    this.#observed = observed;
  }

  onTestCaseResult(testCase: TestCase): void {
    const { observation } = testCase.meta();
    if (observation !== undefined) {
      this.observations.push(observation);
      this.#observed(observation);
    }
    for (const { message } of testCase.result().errors ?? [])
      this.problems.push(`${testCase.name}: ${message}`);
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    for (const { message, stack } of errors)
      this.problems.push(`the harness failed outside of a scenario: ${stack ?? message}`);
    for (const module of modules) {
      for (const { message } of module.errors())
        this.problems.push(`the harness could not load ${module.relativeModuleId}: ${message}`);
    }
  }
}
