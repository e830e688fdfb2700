import type { Identity } from '../../../certs/identity.ts';
import type { TransportPlan } from '../../counterpart/resource-server/contract.ts';
import { difference } from '../difference.ts';
import type { Cause } from '../cause.ts';
import { FindingBook } from '../finding-book.ts';
import type { AttackStory } from '../finding-book.ts';
import type { Finding } from '../finding.ts';
import type { Permutation, Verdict } from '../record.ts';
import type { Severity } from '../requirement.ts';
import type { Arrival } from './arrival.ts';
import { ClientPlay, outcomeText } from './client-play.ts';
import type { AgentPlan, Journey } from './client-play.ts';
import type { ClientScenario } from './client-scenario.ts';
import type { Bench, ClientSetting } from './client-setting.ts';
import type { Aspect } from './defect.ts';

/** A request of the agent whose token came with a proof. */
export interface Proven extends Journey {
  /** The last arrival, which carries the proof. */
  readonly arrival: Arrival;
  readonly proof: string;
}

/** What a scenario of the client role plays on: all that it can do, and the verbs that judge. */
export class ClientStage extends ClientPlay {
  readonly #book: FindingBook;

  private constructor(
    setting: ClientSetting,
    scenario: ClientScenario,
    permutation: Permutation,
    severity: Severity,
    identity: Identity,
    bench: Bench,
    plan: TransportPlan,
  ) {
    super(setting, permutation, identity, bench, plan);
    this.#book = new FindingBook(this.evidence, severity, scenario.cause);
  }

  /** Gets a client under test for the scenario. Throws `TargetProblem` where none can be started. */
  static async open(
    setting: ClientSetting,
    scenario: ClientScenario,
    permutation: Permutation,
    severity: Severity,
  ): Promise<ClientStage> {
    const { proofClaims, ownInstance } = scenario;
    const identity = (await scenario.identity?.(setting, permutation)) ?? setting.pki.alice[permutation.key];
    const own = ownInstance || scenario.identity !== undefined;
    const bench = await setting.bench({ identity, proofClaims, own });
    try {
      const plan = await ClientPlay.begin(bench, permutation);
      return new ClientStage(setting, scenario, permutation, severity, identity, bench, plan);
    } catch (error) {
      await bench[Symbol.asyncDispose]();
      throw error;
    }
  }

  get findings(): readonly Finding[] {
    return this.#book.findings;
  }

  /**
   * A request that arrives with a proof which is right as far as this scenario rests on it; if not, nothing can be judged.
   *
   * @param aspects what has to be right about the proof
   */
  async control(
    aspects: readonly Aspect[] = [],
    what = 'a request with a session-bound token',
    plan: AgentPlan = {},
  ): Promise<Proven> {
    const proven = provenOf(await this.journey(what, plan, 'control', 'served, with a right proof'));
    if (typeof proven === 'string') this.inconclusive(`the control "${what}" ${proven}; see CL-FLD-1`);
    const [defect] = proven.arrival.defects.filter(({ aspect }) => aspects.includes(aspect));
    if (defect !== undefined)
      this.inconclusive(
        `the control "${what}" came with a proof that is not right to begin with: ${defect.what}`,
      );
    return proven;
  }

  /**
   * Judged: a request arrives with one proof, and nothing is wrong with these aspects of it.
   *
   * @param ours as for {@link sound}
   * @returns the request; `undefined` where no proof came at all, which is a finding
   */
  async proves(
    aspects: readonly Aspect[],
    what: string,
    plan: AgentPlan = {},
    ours: readonly Aspect[] = [],
  ): Promise<Proven | undefined> {
    const journey = await this.journey(what, plan, 'variant', 'a right proof');
    const proven = provenOf(journey);
    this.sound(aspects, journey.arrivals, ours);
    if (typeof proven !== 'string') return proven;
    const deviation = journey.arrivals.at(-1)?.proofs.length === 0 ? 'no-proof' : 'ended';
    this.#book.broken(`${what}: the request ${proven}`, deviation);
    return undefined;
  }

  /**
   * Judged: nothing is wrong with these aspects of the proofs of these arrivals, by default of all.
   *
   * @param ours aspects in which a defect comes from what the scenario provoked: its cause is told, not the defect's cure
   */
  sound(
    aspects: readonly Aspect[],
    arrivals: readonly Arrival[] = this.arrivals(),
    ours: readonly Aspect[] = [],
  ): void {
    for (const { request, defects } of arrivals) {
      for (const { aspect, what, cure } of defects) {
        if (aspects.includes(aspect))
          this.#book.broken(
            `${request.method} ${request.target} on ${request.connection.id}: ${what}`,
            'defect',
            cure === null || ours.includes(aspect) ? undefined : { defect: cure },
          );
      }
    }
  }

  /** Judged: a statement that the scenario has worked out itself. */
  holds(holds: boolean, otherwise: string, cause?: Cause | null): void {
    if (!holds) this.#book.broken(otherwise, 'statement', cause);
  }

  /** An observation where the draft leaves the matter open. Makes the verdict `info` when nothing graver is found. */
  observe(observation: string): void {
    this.#book.observed(observation);
  }

  /** Tells an attack from end to end; judged by whether any attempt succeeded. */
  attack(story: AttackStory, cause?: Cause | null): void {
    this.#book.attacked(story, cause);
  }

  /** Shows a request side by side with the one that it is compared with; the difference is computed. */
  pair(
    what: string,
    control: Arrival,
    variant: Arrival,
    expected: string,
    observed: string,
    verdict: Verdict,
  ): void {
    const ids = [control, variant].map(({ request }) => this.exchangeOf(request));
    const [controlId, variantId] = ids;
    if (controlId === undefined || variantId === undefined) return;
    this.evidence.paired({
      what,
      control: controlId,
      variant: variantId,
      difference:
        this.setting.effort === 'full' ? difference(this.describe(control), this.describe(variant)) : [],
      expected,
      observed,
      verdict,
    });
  }
}

/** The request that carries the proof, or in words why there is none. */
export function provenOf(journey: Journey): Proven | string {
  const arrival = journey.arrivals.at(-1);
  if (arrival === undefined)
    return `did not reach the resource server (the agent got ${outcomeText(journey.outcome)})`;
  const [proof, ...more] = arrival.proofs;
  if (proof === undefined) return 'arrived without a Session-Binding-Proof field';
  if (more.length > 0) return `arrived with ${more.length + 1} Session-Binding-Proof fields`;
  return { ...journey, arrival, proof };
}
