/** A step of a story: what somebody does, and what comes of it. */
export interface Step {
  readonly who: string;
  readonly does: string;
  readonly expected: 'served' | 'refused';
  /** In words, free of secrets. */
  readonly outcome: string;
  /** Whether it came as it had to. */
  readonly holds: boolean;
}

/** What is told of a chain: people at work, or a threat and what an attacker gets out of it. */
export interface Story {
  /** `T1` … `T6` of the draft, or `use` where nobody attacks. */
  readonly threat: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

/** What a step came to. */
export interface StepOutcome {
  readonly served: boolean;
  readonly text: string;
}

/** Tells stories step by step. */
export class Teller {
  readonly stories: Story[] = [];

  /** Tells a story; its steps are those that `tell` adds. What it throws ends the story with a step that does not hold. */
  async story(
    threat: string,
    title: string,
    tell: (
      step: (
        who: string,
        does: string,
        expected: Step['expected'],
        act: () => Promise<StepOutcome>,
      ) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> {
    const steps: Step[] = [];
    await tell(async (who, does, expected, act) => {
      const outcome = await act().catch((error: unknown): StepOutcome => ({
        served: false,
        text: error instanceof Error ? error.message : String(error),
      }));
      const holds = outcome.served === (expected === 'served');
      steps.push({ who, does, expected, outcome: outcome.text, holds });
    });
    this.stories.push({ threat, title, steps });
  }
}
