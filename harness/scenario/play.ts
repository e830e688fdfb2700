import { setTimeout as pause } from 'node:timers/promises';
import type { Identity } from '../../certs/identity.ts';
import type { DpopKey } from '../forge/dpop-proof.ts';
import type { Token } from '../forge/token.ts';
import type { Connection, Outcome, WireFailure } from '../wire/connection.ts';
import { ConnectFailure } from '../wire/connection.ts';
import { decoded } from '../wire/content-coding.ts';
import type { OpenSslConnection, OpenSslOptions } from '../wire/openssl-client.ts';
import { Company } from './company.ts';
import { describe } from './describe.ts';
import type { Description } from './describe.ts';
import { EvidenceBook } from './evidence.ts';
import { read } from './expectation.ts';
import type { Reading } from './expectation.ts';
import { Unjudgeable } from './finding.ts';
import { Maker } from './maker.ts';
import type { Preparation } from './preparation.ts';
import type { ExchangeEvidence, Permutation } from './record.ts';
import type { ConnectPlan, DpopPlan, ProofPlan, RequestPlan, TokenPlan } from './request.ts';
import { rightfulClient } from './setting.ts';
import type { ServersBehind, Setting } from './setting.ts';

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

/** What an alert in answer to an offered session means: a session that is of no use is passed over, never an error. */
function alerted({ alert, detail }: WireFailure): string {
  return `the target answers an offered TLS session with an alert, ${alert ?? detail}, instead of a full handshake (RFC 8446 §4.2.11, RFC 5246 §7.3), so clients that resume cannot connect; with OpenSSL, set a session-id context or switch tickets off`;
}

/** How long a target may take to send a session ticket after it has answered a request. */
const SESSION_MS = 200;

const LONGEST_PAUSE_MS = 5000;

/** How often, and at first how soon, a request is sent again that the target had no room for. */
const MOST_TRIES = 6;
const FIRST_WAIT_MS = 20;

/** Whether the target refused a stream without looking at it (RFC 9113 §8.7). The connection goes on. */
export function isRefusedStream({ outcome }: Exchange): boolean {
  return (
    outcome.type === 'failure' && outcome.kind === 'stream-reset' && /REFUSED_STREAM/.test(outcome.detail)
  );
}

/**
 * What a scenario can do without judging: connections, tokens, proofs and requests against one target under one
 * permutation. One per scenario and permutation; releases its connections when disposed.
 */
export class Play implements AsyncDisposable {
  readonly setting: Setting;
  readonly permutation: Permutation;
  readonly evidence: EvidenceBook;
  /** Whether the target was seen to serve several requests on one connection. */
  readonly persistent: boolean;
  readonly #maker: Maker;
  readonly #company: Company;
  #otherDpopKey: DpopKey | undefined;
  readonly #turns = new Map<Connection, Promise<unknown>>();
  #served = 0;
  #unserved = 0;
  readonly #answered = new WeakSet<Connection>();
  #unanswered = false;

  constructor(setting: Setting, permutation: Permutation, preparation: Preparation) {
    this.setting = setting;
    this.permutation = permutation;
    this.persistent = preparation.persistent;
    this.evidence = new EvidenceBook(setting.effort);
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

  /** The servers behind an intermediary under test. */
  get behind(): ServersBehind {
    return this.setting.behind ?? this.inconclusive('the target is no intermediary', 'harness');
  }

  get full(): boolean {
    return this.setting.profile === 'full';
  }

  /** Whether requests were sent, every one of them was served, and no connection was refused. */
  get sawOnlyServed(): boolean {
    return this.#served > 0 && this.#unserved === 0;
  }

  /** Whether a connection was ended without an alert before anything was answered on it. */
  get unanswered(): boolean {
    return this.#unanswered;
  }

  #endedUnanswered({ kind }: Pick<WireFailure, 'kind'>): void {
    if (kind === 'closed' || kind === 'reset') this.#unanswered = true;
  }

  /**
   * Opens a connection of its own; alice's, with this permutation's transport, unless told otherwise.
   * A target that does not let it happen ends the scenario as inconclusive.
   */
  async connect(plan: ConnectPlan = {}): Promise<Connection> {
    const opened = await this.#company.tryOpen(plan);
    if (!('outcome' in opened)) return opened;
    this.#endedUnanswered(opened.outcome);
    throw new Unjudgeable(
      'inconclusive',
      opened.outcome.kind === 'refused' ? 'environment' : 'target',
      `a connection that the scenario needs was not established: ${opened.outcome.detail}`,
    );
  }

  /** Like {@link connect}, where not being let in is one of the answers. */
  async tryConnect(plan: ConnectPlan): Promise<Connection | WireFailure> {
    const opened = await this.#company.tryOpen(plan);
    if (!('outcome' in opened)) return opened;
    this.#endedUnanswered(opened.outcome);
    this.#unserved++;
    return opened.outcome;
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
    if ('kind' in connection && connection.kind === 'tls-alert') this.note(alerted(connection));
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

  /** All connections so far, in the order of opening. */
  protected get connections(): readonly Connection[] {
    return this.#company.connections;
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

  /** The DPoP key of the rightful client. */
  get dpopKey(): DpopKey {
    return this.#maker.dpopKey;
  }

  /** A DPoP key of somebody else's own making. */
  get otherDpopKey(): DpopKey {
    return (this.#otherDpopKey ??= this.#maker.newDpopKey("mallory's DPoP key"));
  }

  /** A right DPoP proof for `GET` of the protected path with the token, unless told otherwise. */
  dpopProof(token: Token, plan: DpopPlan = {}): string {
    return this.#maker.dpopProof(token, plan);
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
    const once = async (): Promise<{ exchange: Exchange; fresh: boolean }> =>
      this.#sendOnce(what, plan, way, part, expected);
    const first = await once();
    // A target may end an idle connection at any time (RFC 9112 §9.5): that is no answer to this request.
    const { exchange } =
      way.on !== undefined || first.fresh || first.exchange.reading.kind !== 'cut' ? first : await once();
    if (isRefusedStream(exchange)) return this.#inTurn(exchange, async () => (await once()).exchange);
    return this.#whenLetIn(exchange, async () => (await once()).exchange);
  }

  /** Sends a request again that the target had no room for, as clients do, for a bounded time. */
  async #whenLetIn(exchange: Exchange, again: () => Promise<Exchange>): Promise<Exchange> {
    let last = exchange;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const { reading } = last;
      if (reading.kind !== 'no-answer' || reading.retryAfterMs === undefined) break;
      const wait = reading.retryAfterMs ?? FIRST_WAIT_MS * 2 ** tries;
      if (wait > LONGEST_PAUSE_MS) break;
      await pause(wait);
      last = await again();
    }
    return last;
  }

  /** Sends a request again whose stream was refused unprocessed (RFC 9113 §8.7), one after the other. */
  async #inTurn(exchange: Exchange, again: () => Promise<Exchange>): Promise<Exchange> {
    const { connection } = exchange;
    const alone = async (): Promise<Exchange> => {
      let last = exchange;
      for (let tries = 0; tries < MOST_TRIES && connection.open && isRefusedStream(last); tries++) {
        await pause(FIRST_WAIT_MS * 2 ** tries);
        last = await again();
      }
      return last;
    };
    const turn = (this.#turns.get(connection) ?? Promise.resolve()).then(alone);
    this.#turns.set(
      connection,
      turn.catch(() => undefined),
    );
    return turn;
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
    const outcome = decoded(await connection.send(made.request, this.setting.patienceMs));
    const reading = read(outcome);
    if (outcome.type === 'response') this.#answered.add(connection);
    else if (!this.#answered.has(connection)) this.#endedUnanswered(outcome);
    if (reading.kind === 'served') this.#served++;
    else this.#unserved++;
    this.#maker.noteNonce(outcome);
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
    if (way.on === undefined) {
      try {
        return await this.#company.usual(way.connect ?? {});
      } catch (error) {
        if (error instanceof ConnectFailure) this.#endedUnanswered(error.outcome);
        this.#unserved++;
        throw error;
      }
    }
    if (!way.on.open) {
      if (!this.#answered.has(way.on)) this.#unanswered = true;
      throw new Unjudgeable(
        'not-applicable',
        'target',
        `the target ended connection ${way.on.id}, and this requirement is about a connection that goes on`,
      );
    }
    return { connection: way.on, fresh: false };
  }

  /**
   * Lets time pass, for requirements about time itself.
   *
   * @param instant milliseconds since the epoch, a few seconds ahead at most
   */
  async until(instant: number): Promise<void> {
    await pause(Math.min(Math.max(0, instant - Date.now()), LONGEST_PAUSE_MS));
  }

  /** A remark for the reader of the evidence; no bearing on the verdict. */
  note(text: string): void {
    this.evidence.note(text);
  }

  /**
   * Something worth knowing that is measured beside what is judged; the report shows it with the target.
   *
   * @param unit `ms`, or empty for a plain number
   */
  measure(what: string, value: number, unit: '' | 'ms' = ''): void {
    this.evidence.measured({ what, value, unit });
  }

  /**
   * A number that stands beside measured ones to compare with, and that nobody can measure from outside.
   *
   * @param from the text that it follows from
   */
  derive(what: string, value: number, from: string): void {
    this.evidence.measured({ what, value, unit: '', derivedFrom: from });
  }

  /** Ends the scenario: it does not apply to this target. */
  notApplicable(reason: string): never {
    throw new Unjudgeable('not-applicable', 'target', this.evidence.redact(reason));
  }

  /** Ends the scenario: it could not be measured. */
  inconclusive(reason: string, attribution: 'target' | 'harness' | 'environment' = 'environment'): never {
    throw new Unjudgeable('inconclusive', attribution, this.evidence.redact(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#company.disperse();
  }
}
