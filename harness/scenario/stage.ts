import type { Connection, WireFailure } from '../wire/connection.ts';
import { ConnectFailure } from '../wire/connection.ts';
import { contradiction, difference } from './difference.ts';
import { expectationText, isSilence, match, read } from './expectation.ts';
import type { Expectation, Reading } from './expectation.ts';
import { deviationOf, explain } from './cause.ts';
import type { Cause } from './cause.ts';
import { FindingBook } from './finding-book.ts';
import type { AttackStory } from './finding-book.ts';
import { Unjudgeable, ValidRejected } from './finding.ts';
import type { Finding } from './finding.ts';
import { isRefusedStream, Play } from './play.ts';
import type { Exchange, Way } from './play.ts';
import type { Preparation } from './preparation.ts';
import { hasLeftWindow } from './proof-age.ts';
import type { ExchangeEvidence, Permutation } from './record.ts';
import { combine, declaredDifference } from './request.ts';
import type { RequestPlan, Variation } from './request.ts';
import type { Severity } from './requirement.ts';
import type { ServerScenario } from './scenario.ts';
import type { Setting } from './setting.ts';
import { diagnoseUnserved, SentRequests, servesSequence, standingOf } from './unserved.ts';
import type { Standing } from './unserved.ts';

/** Whatever the code may be, nobody can read it. */
export const UNREADABLE =
  'The challenge in WWW-Authenticate does not parse, so that no client can read the error code (see RS-ERR-4). Quote parameter values, and leave out what must not stand in them (RFC 9110 §11.6.1, RFC 6750 §3).';

/** A harmless difference, which must not change the answer. */
const NEUTRAL: RequestPlan = { fields: [['X-Tsbt-Neutral', '1']] };

/** What a scenario plays on: all that it can do, and the verbs that judge. Their findings make the verdict. */
export class Stage extends Play {
  readonly #scenario: ServerScenario;
  readonly #severity: Severity;
  readonly #book: FindingBook;
  readonly #prepared: boolean;
  readonly #sent = new SentRequests();
  #validRejected = false;
  #steady = false;

  /** @param prepared whether the target has served a valid request under this permutation */
  constructor(
    setting: Setting,
    scenario: ServerScenario,
    permutation: Permutation,
    severity: Severity,
    preparation: Preparation,
    prepared = true,
  ) {
    super(setting, permutation, preparation);
    this.#scenario = scenario;
    this.#severity = severity;
    this.#book = new FindingBook(this.evidence, severity, scenario.cause);
    this.#prepared = prepared;
  }

  get findings(): readonly Finding[] {
    return this.#book.findings;
  }

  /** Whether a valid request was rejected, in which other scenarios may have had a part. */
  get validRejected(): boolean {
    return this.#validRejected;
  }

  override async send(
    what: string,
    plan: RequestPlan = {},
    way: Way = {},
    part: ExchangeEvidence['part'] = 'request',
    expected = 'recorded',
  ): Promise<Exchange> {
    const exchange = await super.send(what, plan, way, part, expected);
    this.#sent.note(exchange, expected === 'served');
    return exchange;
  }

  /** A target may end a connection that was used before at any time: then nothing is known of how it would have gone on. */
  #applicable(exchange: Exchange, way: Way): void {
    const { connection, reading } = exchange;
    if (way.on === undefined || reading.kind !== 'cut') return;
    throw new Unjudgeable(
      'not-applicable',
      'target',
      `the target ${isRefusedStream(exchange) ? 'refused a stream on' : 'ended'} connection ${connection.id} (${reading.text}), and this requirement is about a connection that goes on`,
    );
  }

  /**
   * Sends a request that is to be served. Where it has a proof from before, which the target does not accept any more
   * for its age alone, it goes out again with a new one, as clients renew proofs (draft -06 §3.3.1).
   */
  async sendCurrent(
    what: string,
    plan: RequestPlan,
    way: Way = {},
    part: ExchangeEvidence['part'] = 'request',
  ): Promise<Exchange> {
    const exchange = await this.send(what, plan, way, part, 'served');
    if (exchange.served || !(await hasLeftWindow(this, plan, exchange))) return exchange;
    this.note(`${what}: the proof has left the target's window of iat, and is renewed (AMB-14)`);
    return this.send(`${what}, with a new proof`, { ...plan, proof: {} }, way, part, 'served');
  }

  /** Sends the right request; if it is not served, nothing here can be judged. */
  async control(what = 'the right request', plan: RequestPlan = {}, way: Way = {}): Promise<Exchange> {
    return this.#mustServe(what, plan, way, 'control');
  }

  async #mustServe(
    what: string,
    plan: RequestPlan,
    way: Way,
    part: 'control' | 'neutral',
  ): Promise<Exchange> {
    const exchange = await this.sendCurrent(what, plan, way, part);
    if (exchange.served) return exchange;
    this.#applicable(exchange, way);
    return this.rejected(`the ${part} "${what}"`, exchange);
  }

  /** Ends the scenario: a valid request was rejected that is not under judgement. */
  rejected(what: string, { reading }: Exchange): never {
    throw new ValidRejected(
      reading.kind === 'no-answer' ? 'environment' : 'target',
      this.evidence.redact(
        `${what} was not served (${reading.text}), so a refusal would prove nothing${this.#prepared && reading.kind !== 'no-answer' ? '; see RS-MUX-9' : ''}`,
      ),
    );
  }

  /**
   * Judged: this request is served. Where it is not, the plain valid request with a fresh token goes out on the same
   * connection: if that is rejected too, though one was served before, the difference is not blamed.
   *
   * @param cause what it means when it is rejected; a string explains nothing but that
   */
  async accepts(
    what: string,
    plan: RequestPlan = {},
    way: Way = {},
    cause?: Cause | null,
  ): Promise<Exchange> {
    const exchange = await this.sendCurrent(what, plan, way, 'variant');
    this.#applicable(exchange, way);
    if (isSilence(exchange)) {
      this.#book.unmeasured(`${what}: no answer that can be judged (${exchange.reading.text})`);
    } else if (!exchange.served) await this.mustHaveServed(what, exchange, plan, cause);
    return exchange;
  }

  /** Judged: a request that was not served should have been. Like {@link accepts}, for one that was sent already. */
  async mustHaveServed(
    what: string,
    exchange: Exchange,
    plan: RequestPlan,
    cause?: Cause | null,
  ): Promise<void> {
    const { reading, connection } = exchange;
    const standing = await this.standing(what, exchange, plan);
    const found = standing === 'valid' ? await this.#diagnosed(connection) : null;
    this.unserved(
      `${what}: must be served, was answered ${reading.text}`,
      reading,
      found === null ? cause : { [deviationOf(reading.kind)]: found },
    );
  }

  /**
   * What it says that a request was not served which should have been.
   *
   * @throws {ValidRejected} where it cannot be blamed, since the target rejects plain valid requests too
   */
  async standing(what: string, exchange: Exchange, plan: RequestPlan): Promise<Exclude<Standing, 'nothing'>> {
    // Where no valid request was ever served, the diagnosis has looked into it already.
    const standing = this.#prepared
      ? await standingOf(this, exchange, plan, this.#sent, this.#scenario.judgesSequence)
      : 'blamed';
    if (standing === 'nothing') return this.#unsteady(what, exchange);
    if (standing === 'valid') this.#validRejected = true;
    return standing;
  }

  /**
   * Whether the target may be blamed that the plain valid request is rejected after something: not where it serves no
   * sequence of plain valid requests either.
   *
   * @throws {ValidRejected} where that is so
   */
  async blames(what: string, exchange: Exchange): Promise<void> {
    if (!this.#prepared || this.#steady) return;
    if (!(await servesSequence(this, exchange, this.#sent))) this.#unsteady(what, exchange);
    this.#steady = true;
  }

  #unsteady(what: string, { reading }: Exchange): never {
    throw new ValidRejected(
      'target',
      this.evidence.redact(
        `${what}: answered ${reading.text}, and so are plain valid requests, where others were served; see RS-MUX-9`,
      ),
    );
  }

  /** What the target serves in place of a valid request. */
  #diagnosed(connection: Connection): Promise<string | null> {
    return diagnoseUnserved(this, connection, this.connections, this.#sent);
  }

  /**
   * Judged: each variation is refused, although the request that it varies was served just before and is
   * served again after. A harmless variation in between must be served too.
   *
   * @param base what control and variations have in common, beyond the right request
   */
  async refuses(
    expectation: Expectation,
    variations: readonly Variation[],
    base: RequestPlan = {},
    way: Way = {},
    neutral: RequestPlan = NEUTRAL,
  ): Promise<void> {
    const control = await this.control('the right request', base, way);
    await this.#mustServe(
      'the right request with a harmless difference',
      combine(base, neutral),
      way,
      'neutral',
    );
    const before = this.findings.length;
    for (const variation of variations) await this.refusesOne(expectation, variation, control, base, way);
    this.#nameCommonCause(before, variations.length);
    await this.control('the right request again', base, way);
  }

  /**
   * Judged: one variation is refused.
   *
   * @param control the exchange that it forms a minimal pair with
   */
  async refusesOne(
    expectation: Expectation,
    variation: Variation,
    control: Exchange,
    base: RequestPlan = {},
    way: Way = {},
  ): Promise<Exchange | WireFailure> {
    const expected = variation.expect ?? expectation;
    const path: Way =
      variation.on !== undefined
        ? { on: variation.on }
        : variation.connect !== undefined
          ? { connect: { ...way.connect, ...variation.connect } }
          : way;
    let exchange: Exchange;
    try {
      exchange = await this.send(
        variation.what,
        combine(base, variation.change ?? {}),
        path,
        'variant',
        expectationText(expected),
      );
    } catch (error) {
      if (!(error instanceof ConnectFailure)) throw error;
      this.#judgeRefusal(variation, expected, read(error.outcome));
      return error.outcome;
    }
    const minimal = this.setting.effort === 'full';
    const found = minimal ? difference(control.description, exchange.description) : [];
    const wrong = minimal ? contradiction(found, declaredDifference(variation)) : undefined;
    if (wrong !== undefined) {
      throw new Unjudgeable(
        'inconclusive',
        'harness',
        `the pair "${variation.what}" is not minimal: it ${wrong}`,
      );
    }
    const came = match(exchange.reading, expected);
    // Another manner may be that of a target that rejects whatever comes.
    if (expected.exact && (came === 'other-manner' || came === 'server-error'))
      await this.blames(variation.what, exchange);
    const verdict = this.#judgeRefusal(variation, expected, exchange.reading);
    this.evidence.paired({
      what: variation.what,
      control: control.id,
      variant: exchange.id,
      difference: found,
      expected: expectationText(expected),
      observed: exchange.reading.text,
      verdict,
    });
    return exchange;
  }

  /** Where a whole table of mistakes is served, none of them is the target's mistake: the check itself is missing. */
  #nameCommonCause(since: number, variations: number): void {
    const cause = explain('served', this.#scenario.cause);
    const own = this.findings.slice(since);
    if (
      cause === null ||
      variations < 3 ||
      own.length < variations ||
      own.some(({ deviation }) => deviation !== 'served')
    )
      return;
    this.#book.findings.splice(since, own.length, ...own.map((finding) => ({ ...finding, cause })));
  }

  #judgeRefusal(
    variation: Variation,
    expected: Expectation,
    reading: Reading,
  ): 'pass' | 'fail' | 'warn' | 'info' | 'inconclusive' {
    const { what, cause } = variation;
    const wanted = expectationText(expected);
    switch (match(reading, expected)) {
      case 'as-expected':
        return 'pass';
      case 'served':
        this.#book.broken(
          `${what}: served (${reading.text}), must be refused${wanted === 'refused' ? '' : ` with ${wanted}`}`,
          'served',
          cause,
          undefined,
          declaredDifference(variation),
        );
        return this.#severity;
      case 'other-manner':
        if (!expected.exact) {
          this.note(
            `${what}: refused, though with ${reading.text} instead of ${wanted}; the manner is judged by RS-ERR-1, RS-ERR-2 and RS-ERR-3`,
          );
          return 'pass';
        }
        this.#book.broken(
          `${what}: refused with ${reading.text}, must be ${wanted}`,
          reading.kind === 'cut' ? 'ended' : 'other-manner',
          reading.kind === 'refused' && reading.unreadable !== undefined
            ? { 'other-manner': UNREADABLE }
            : cause,
        );
        return this.#severity;
      case 'server-error':
        if (expected.exact) {
          this.#book.broken(
            `${what}: answered ${reading.text}, must be refused with ${wanted}`,
            'server-error',
            cause,
          );
          return this.#severity;
        }
        this.#book.warned(
          `${what}: answered ${reading.text}: refused, but as a failure of the target's own`,
          'An error while checking the request is not caught. Answer what cannot be verified with 401.',
        );
        return 'warn';
      case 'no-answer':
        this.#book.unmeasured(`${what}: no answer that can be judged (${reading.text})`);
        return 'inconclusive';
    }
  }

  /** Judged: a statement that the scenario has worked out itself. */
  holds(holds: boolean, otherwise: string, cause?: Cause | null): void {
    if (!holds) this.#book.broken(otherwise, 'statement', cause);
  }

  /**
   * A valid request was not served, as the scenario found out itself.
   *
   * @param otherwise in words, what was seen
   * @param cause as for {@link accepts}
   */
  unserved(otherwise: string, { kind }: Pick<Reading, 'kind'>, cause?: Cause | null): void {
    this.#book.broken(otherwise, deviationOf(kind), cause, ['rejected']);
  }

  /**
   * A request was served that must not be, as the scenario found out itself.
   *
   * @param otherwise in words, what was seen
   * @param differs the fields in which it differs from a valid one
   */
  wronglyServed(otherwise: string, differs: readonly string[], cause?: Cause | null): void {
    this.#book.broken(otherwise, 'served', cause, undefined, differs);
  }

  /** An observation where the draft leaves the matter open. Makes the verdict `info` when nothing graver is found. */
  observe(observation: string): void {
    this.#book.observed(observation);
  }

  /** Tells an attack from end to end; judged by whether any attempt succeeded. */
  attack(story: AttackStory, cause?: Cause | null): void {
    this.#book.attacked(story, cause);
  }
}
