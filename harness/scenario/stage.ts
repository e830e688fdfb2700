import { setTimeout as pause } from 'node:timers/promises';
import type { Identity } from '../../certs/identity.ts';
import type { Token } from '../forge/token.ts';
import type { Connection, Outcome, WireFailure } from '../wire/connection.ts';
import { ConnectFailure } from '../wire/connection.ts';
import type { OpenSslConnection, OpenSslOptions } from '../wire/openssl-client.ts';
import { Company } from './company.ts';
import { describe } from './describe.ts';
import type { Description } from './describe.ts';
import { contradiction, difference } from './difference.ts';
import { EvidenceBook } from './evidence.ts';
import { expectationText, match, read } from './expectation.ts';
import type { Expectation, Reading } from './expectation.ts';
import { Unjudgeable } from './finding.ts';
import type { Finding } from './finding.ts';
import { Maker } from './maker.ts';
import type { Preparation } from './preparation.ts';
import type { AttackEvidence, ExchangeEvidence, Permutation } from './record.ts';
import { combine, declaredDifference } from './request.ts';
import type { ConnectPlan, ProofPlan, RequestPlan, TokenPlan, Variation } from './request.ts';
import type { Severity } from './requirement.ts';
import type { Scenario } from './scenario.ts';
import { rightfulClient } from './setting.ts';
import type { Setting } from './setting.ts';

/** A request with what came of it. */
export interface Exchange {
  /** Number in the evidence. */
  readonly id: number;
  readonly connection: Connection;
  readonly token: Token | null;
  /** The values of the proof field. */
  readonly proofs: readonly string[];
  readonly outcome: Outcome;
  readonly reading: Reading;
  readonly served: boolean;
  readonly description: Description;
}

/** Where a request goes out: on this connection, or on the scenario's own of this kind. */
export interface Way {
  readonly on?: Connection;
  readonly connect?: ConnectPlan;
}

/** A connection of the low-level TLS client, told by how it differs from the usual one. */
export type LowLevelPlan = Partial<Omit<OpenSslOptions, 'host' | 'port'>>;

/** How long a target may take to send a session ticket after it has answered a request. */
const SESSION_MS = 200;

const LONGEST_PAUSE_MS = 5000;

/** A harmless difference, which must not change the answer. */
const NEUTRAL: RequestPlan = { fields: [['X-Tsbt-Neutral', '1']] };

/**
 * What a scenario plays on: connections, tokens and proofs against one target under one permutation, and
 * the verbs that judge. One per scenario and permutation; releases its connections when disposed.
 */
export class Stage implements AsyncDisposable {
  readonly setting: Setting;
  readonly permutation: Permutation;
  readonly evidence: EvidenceBook;
  readonly findings: Finding[] = [];
  readonly #scenario: Scenario;
  readonly #severity: Severity;
  readonly #maker: Maker;
  readonly #company: Company;

  constructor(
    setting: Setting,
    scenario: Scenario,
    permutation: Permutation,
    severity: Severity,
    preparation: Preparation,
  ) {
    this.setting = setting;
    this.permutation = permutation;
    this.evidence = new EvidenceBook(setting.effort);
    this.#scenario = scenario;
    this.#severity = severity;
    this.#company = new Company(setting, permutation, this.evidence);
    this.#maker = new Maker(setting, permutation, preparation, this.evidence);
  }

  /** The rightful client under this permutation's key type. */
  get alice(): Identity {
    return rightfulClient(this.setting, this.permutation);
  }

  /** The attacker, with a valid certificate of its own. */
  get mallory(): Identity {
    if (this.setting.credentials !== null)
      this.notApplicable(
        'it needs an attacker whose certificate the target trusts, and the target trusts only the client that it was given with',
      );
    return this.setting.pki.mallory;
  }

  get full(): boolean {
    return this.setting.profile === 'full';
  }

  /**
   * Opens a connection of its own; alice's, with this permutation's transport, unless told otherwise.
   * A target that does not let it happen ends the scenario as inconclusive.
   */
  async connect(plan: ConnectPlan = {}): Promise<Connection> {
    const opened = await this.#company.tryOpen(plan);
    if (!('outcome' in opened)) return opened;
    throw new Unjudgeable(
      'inconclusive',
      opened.outcome.kind === 'refused' ? 'environment' : 'target',
      `a connection that the scenario needs was not established: ${opened.outcome.detail}`,
    );
  }

  /** Like {@link connect}, where not being let in is one of the answers. */
  async tryConnect(plan: ConnectPlan): Promise<Connection | WireFailure> {
    const opened = await this.#company.tryOpen(plan);
    return 'outcome' in opened ? opened.outcome : opened;
  }

  /**
   * Opens a connection that resumes the TLS session of another one.
   *
   * @returns `undefined` where the target gave out no session or did not resume it
   */
  async resume(from: Connection, plan: ConnectPlan = {}): Promise<Connection | undefined> {
    const session = await from.session(SESSION_MS);
    if (session === undefined) return undefined;
    const connection = await this.tryConnect({ ...plan, session });
    return 'kind' in connection || !connection.facts.resumed ? undefined : connection;
  }

  /** Opens a connection of the low-level TLS client, HTTP/1.1; without that client the scenario cannot be judged here. */
  async connectLowLevel(plan: LowLevelPlan = {}): Promise<OpenSslConnection> {
    const client = await this.setting.lowLevel();
    if ('unavailable' in client)
      this.inconclusive(
        `this needs a TLS client below Node's API, and there is none here: ${client.unavailable}`,
      );
    const id = this.#company.nextId();
    const options: OpenSslOptions = { ...this.#company.options(plan), http: 'http/1.1' };
    try {
      return this.adopt(await client.connect(options, id));
    } catch (error) {
      if (error instanceof ConnectFailure) this.evidence.notConnected(id, options, error.outcome);
      throw error;
    }
  }

  /** Takes a connection that was opened elsewhere into the evidence; it is closed with the scenario. */
  adopt<C extends Connection>(connection: C): C {
    return this.#company.adopt(connection);
  }

  /** The name for the next connection in the evidence. */
  nextConnectionId(): string {
    return this.#company.nextId();
  }

  /** A fresh access token: session-bound to alice's certificate unless told otherwise. */
  mint(plan: TokenPlan = {}): Promise<Token> {
    return this.#maker.mint(plan);
  }

  /** A right proof for the token on the connection, unless told otherwise. */
  proof(connection: Connection, token: Token, plan: ProofPlan = {}): string {
    return this.#maker.proof(connection, token, plan);
  }

  /** The right per-request claims for a request of the protected path: fresh `jti`, `htm`, and `htu` in the form that the target takes. */
  perRequest(
    method = 'GET',
    path = this.setting.target.protectedPath,
  ): { readonly jti: string; readonly htm: string; readonly htu: string } {
    return this.#maker.perRequest(method, path);
  }

  /** Sends a request and judges nothing. */
  async send(
    what: string,
    plan: RequestPlan = {},
    way: Way = {},
    part: ExchangeEvidence['part'] = 'request',
    expected = 'recorded',
  ): Promise<Exchange> {
    const first = await this.#sendOnce(what, plan, way, part, expected);
    // A target may end an idle connection at any time (RFC 9112 §9.5): that is no answer to this request.
    if (way.on !== undefined || first.fresh || first.exchange.reading.kind !== 'cut') return first.exchange;
    return (await this.#sendOnce(what, plan, way, part, expected)).exchange;
  }

  async #sendOnce(
    what: string,
    plan: RequestPlan,
    way: Way,
    part: ExchangeEvidence['part'],
    expected: string,
  ): Promise<{ exchange: Exchange; fresh: boolean }> {
    const { connection, fresh } = await this.#connectionFor(way);
    const made = await this.#maker.make(plan, connection);
    const outcome = await connection.send(made.request, this.setting.patienceMs);
    const reading = read(outcome);
    const proofIdsSeen = this.#maker.remember(made);
    // Worked out when first asked for: of thousands of requests only a few are looked at.
    let known: Description | undefined;
    const description = (): Description =>
      (known ??= describe(made.sent, this.#maker.known(this.#company.connections, proofIdsSeen)));
    const id = this.evidence.exchanged({
      sent: made.sent,
      description,
      part,
      what,
      outcome,
      expected,
      observed: reading.text,
    });
    const exchange: Exchange = {
      id,
      connection,
      token: made.token,
      proofs: made.sent.proofs,
      outcome,
      reading,
      served: reading.kind === 'served',
      get description() {
        return description();
      },
    };
    return { fresh, exchange };
  }

  async #connectionFor(way: Way): Promise<{ connection: Connection; fresh: boolean }> {
    if (way.on === undefined) return this.#company.usual(way.connect ?? {});
    if (!way.on.open) {
      throw new Unjudgeable(
        'not-applicable',
        'target',
        `the target ended connection ${way.on.id}, and this requirement is about a connection that goes on`,
      );
    }
    return { connection: way.on, fresh: false };
  }

  /** A target may end a connection that was used before at any time: then nothing is known of how it would have gone on. */
  #applicable({ connection, reading }: Exchange, way: Way): void {
    if (way.on === undefined || reading.kind !== 'cut') return;
    throw new Unjudgeable(
      'not-applicable',
      'target',
      `the target ended connection ${connection.id} (${reading.text}), and this requirement is about a connection that goes on`,
    );
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
    const exchange = await this.send(what, plan, way, part, 'served');
    if (exchange.served) return exchange;
    this.#applicable(exchange, way);
    throw new Unjudgeable(
      'inconclusive',
      exchange.reading.kind === 'no-answer' ? 'environment' : 'target',
      `the ${part} "${what}" was not served (${exchange.reading.text}), so a refusal would prove nothing`,
      this.#scenario.cause,
    );
  }

  /** Judged: this request is served. */
  async accepts(
    what: string,
    plan: RequestPlan = {},
    way: Way = {},
    cause: string | null = this.#scenario.cause,
  ): Promise<Exchange> {
    const exchange = await this.send(what, plan, way, 'variant', 'served');
    this.#applicable(exchange, way);
    if (isSilence(exchange.outcome)) {
      this.findings.push({
        severity: 'inconclusive',
        reason: `${what}: no answer that can be judged (${exchange.reading.text})`,
        cause: null,
        attribution: 'target',
      });
    } else if (!exchange.served)
      this.#broken(`${what}: must be served, was answered ${exchange.reading.text}`, cause);
    return exchange;
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
    const { cause } = this.#scenario;
    const own = this.findings.slice(since);
    if (
      cause === null ||
      variations < 3 ||
      own.length < variations ||
      own.some((finding) => finding.severity !== this.#severity)
    )
      return;
    this.findings.splice(since, own.length, ...own.map((finding) => ({ ...finding, cause })));
  }

  #judgeRefusal(
    variation: Variation,
    expected: Expectation,
    reading: Reading,
  ): 'pass' | 'fail' | 'warn' | 'info' | 'inconclusive' {
    const { what } = variation;
    const cause = variation.cause ?? this.#scenario.cause;
    const wanted = expectationText(expected);
    switch (match(reading, expected)) {
      case 'as-expected':
        return 'pass';
      case 'served':
        this.#broken(
          `${what}: served (${reading.text}), must be refused${wanted === 'refused' ? '' : ` with ${wanted}`}`,
          cause,
        );
        return this.#severity;
      case 'other-manner':
        if (!expected.exact) {
          this.note(
            `${what}: refused, though with ${reading.text} instead of ${wanted}; the manner is judged by RS-ERR-1, RS-ERR-2 and RS-ERR-3`,
          );
          return 'pass';
        }
        this.#broken(`${what}: refused with ${reading.text}, must be ${wanted}`, cause);
        return this.#severity;
      case 'server-error':
        this.findings.push({
          severity: 'warn',
          reason: `${what}: answered ${reading.text}: refused, but as a failure of the target's own`,
          cause:
            'An error while checking the request is not caught. Answer what cannot be verified with 401.',
          attribution: 'target',
        });
        return 'warn';
      case 'no-answer':
        this.findings.push({
          severity: 'inconclusive',
          reason: `${what}: no answer that can be judged (${reading.text})`,
          cause: null,
          attribution: 'target',
        });
        return 'inconclusive';
    }
  }

  /**
   * Lets time pass, for requirements about time itself.
   *
   * @param instant milliseconds since the epoch, a few seconds ahead at most
   */
  async until(instant: number): Promise<void> {
    await pause(Math.min(Math.max(0, instant - Date.now()), LONGEST_PAUSE_MS));
  }

  /** Judged: a statement that the scenario has worked out itself. */
  holds(holds: boolean, otherwise: string, cause: string | null = this.#scenario.cause): void {
    if (!holds) this.#broken(otherwise, cause);
  }

  #broken(reason: string, cause: string | null): void {
    this.findings.push({
      severity: this.#severity,
      reason: this.evidence.redact(reason),
      cause,
      attribution: this.#severity === 'info' ? 'specification' : 'target',
    });
  }

  /** An observation where the draft leaves the matter open. Makes the verdict `info` when nothing graver is found. */
  observe(observation: string): void {
    this.findings.push({
      severity: 'info',
      reason: this.evidence.redact(observation),
      cause: null,
      attribution: 'specification',
    });
  }

  /** A remark for the reader of the evidence; no bearing on the verdict. */
  note(text: string): void {
    this.evidence.note(text);
  }

  /** Ends the scenario: it does not apply to this target. */
  notApplicable(reason: string): never {
    throw new Unjudgeable('not-applicable', 'target', reason);
  }

  /** Ends the scenario: it could not be measured. */
  inconclusive(reason: string, attribution: 'target' | 'harness' | 'environment' = 'environment'): never {
    throw new Unjudgeable('inconclusive', attribution, reason);
  }

  /** Tells an attack from end to end; judged by whether any attempt succeeded. */
  attack(story: Omit<AttackEvidence, 'outcome'>, cause: string | null = this.#scenario.cause): void {
    const succeeded = story.attempts.filter((attempt) => attempt.succeeded);
    this.evidence.attacked({
      ...story,
      outcome:
        succeeded.length === 0
          ? 'The attack failed: nothing of what was stolen was of use.'
          : `The attack succeeded in ${succeeded.length} of ${story.attempts.length} attempts.`,
    });
    for (const attempt of succeeded) this.#broken(`${attempt.attempt}: ${attempt.outcome}`, cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#company.disperse();
  }
}

/** Whether there was silence: a busy machine can be the reason, so it proves nothing against the target. */
function isSilence(outcome: Outcome): boolean {
  return outcome.type === 'failure' && (outcome.kind === 'timeout' || outcome.kind === 'refused');
}
