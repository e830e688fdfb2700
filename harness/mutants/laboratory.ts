import { caseText, disturbed, isBetter } from '../run/again.ts';
import { startOpposite } from '../run/opposite.ts';
import type { Opposite } from '../run/opposite.ts';
import type { Case } from '../run/plan.ts';
import { casesOf, WHOLE_CORE } from '../run/selection.ts';
import { playerOf } from '../run/player.ts';
import type { Player } from '../run/player.ts';
import { everyProofJudged } from '../scenario/client/every-proof.ts';
import { permutations, permutationText } from '../scenario/permutation.ts';
import type { ResultRecord } from '../scenario/record.ts';
import { requirementIdOf } from '../scenario/requirement.ts';
import type { Requirement } from '../scenario/requirement.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { TargetProblem } from '../target/target.ts';
import { findingsOf } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Subject } from './subject.ts';

/** How many scenarios are under way at once on a subject: enough that one that waits holds up nobody. */
const CONCURRENT = 8;

/** Plays scenarios on mutants and variants in this process. Holds the suite's side until it is disposed. */
export class Laboratory implements AsyncDisposable {
  readonly #opposite: Opposite;
  readonly #scenarios: ReadonlyMap<string, Scenario>;
  readonly #requirement: (id: string) => Requirement;

  private constructor(
    opposite: Opposite,
    scenarios: readonly Scenario[],
    requirement: (id: string) => Requirement,
  ) {
    this.#opposite = opposite;
    this.#scenarios = new Map(scenarios.map((scenario) => [scenario.id, scenario]));
    this.#requirement = requirement;
  }

  /** @param requirement the catalogue's row of an id */
  static async open(
    scenarios: readonly Scenario[],
    requirement: (id: string) => Requirement,
  ): Promise<Laboratory> {
    return new Laboratory(await startOpposite(), scenarios, requirement);
  }

  /**
   * Plays every scenario of the subject's role on it, under the core profile's permutations and the subject's own.
   * Never throws for what the subject does.
   *
   * @param only ids of the scenarios to play; all of them when left out
   */
  async observe(
    subject: Pick<Subject, 'id' | 'also' | 'manifest'>,
    signal?: AbortSignal,
    only?: ReadonlySet<string>,
  ): Promise<Observation> {
    const started = performance.now();
    const observation = (results: readonly ResultRecord[], problem?: string): Observation => ({
      subject: subject.id,
      findings: findingsOf(results),
      ...(problem === undefined ? {} : { problem }),
      durationMs: Math.round(performance.now() - started),
    });
    const { manifest } = subject;
    const scenarios = [...this.#scenarios.values()].filter(
      ({ id, role }) => role === manifest.role && (only?.has(id) ?? true),
    );
    try {
      await using target = await this.#opposite.start(manifest);
      const plan = await this.#opposite.plan(target, casesFor(subject, scenarios), WHOLE_CORE, {});
      await using player = playerOf(plan, 'light');
      const results: ResultRecord[] = [];
      // One iterator for all: each takes the next case that nobody has taken.
      const waiting = plan.cases.values();
      const play = async (): Promise<void> => {
        for (const one of waiting) {
          const result = await this.#play(one, player, signal);
          if (result !== undefined) results.push(result);
        }
      };
      await Promise.all(Array.from({ length: CONCURRENT }, play));
      // What this machine or other scenarios got in the way of is tried once more on its own.
      const again = new Set(results.filter(isEnvironment).concat(disturbed(results)));
      // With what is known of the target found out anew, as in a run.
      await using second = playerOf(plan, 'light');
      const kept: ResultRecord[] = [];
      for (const result of results) {
        const alone = again.has(result) ? await this.#play(result, second, signal) : undefined;
        kept.push(alone !== undefined && isBetter(alone) ? alone : result);
      }
      return observation(
        everyProofJudged({
          results: kept,
          tallied: kept,
          scenarios: [...this.#scenarios.values()],
          requirement: this.#requirement,
          strict: WHOLE_CORE.strict,
        }),
      );
    } catch (error) {
      if (error instanceof TargetProblem) return observation([], error.message);
      throw error;
    }
  }

  async #play(
    { scenario: id, permutation }: Case,
    player: Player,
    signal?: AbortSignal,
  ): Promise<ResultRecord | undefined> {
    const scenario = this.#scenarios.get(id);
    return scenario && player.play(scenario, permutation, this.#requirement(requirementIdOf(id)), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opposite[Symbol.asyncDispose]();
  }
}

function isEnvironment({ verdict, attribution }: ResultRecord): boolean {
  return verdict === 'inconclusive' && attribution === 'environment';
}

/** The core profile's cases, and those under the subject's own permutations where they matter to a scenario. */
function casesFor({ also }: Pick<Subject, 'also'>, scenarios: readonly Scenario[]): readonly Case[] {
  const core = casesOf(scenarios, WHOLE_CORE);
  const more = scenarios.flatMap((scenario) => {
    const possible = permutations(scenario.across, 'full').map(permutationText);
    return also
      .filter((permutation) => possible.includes(permutationText(permutation)))
      .map((permutation) => ({ scenario: scenario.id, permutation }));
  });
  const known = new Set(core.map(caseText));
  return [...core, ...more.filter((one) => !known.has(caseText(one)))];
}
