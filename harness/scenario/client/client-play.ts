import type { Identity } from '../../../certs/identity.ts';
import type { AgentRequest } from '../../counterpart/agent/agent.ts';
import type { Reach } from '../../counterpart/agent/reach.ts';
import type {
  CounterpartServer,
  Script,
  TransportPlan,
  UpstreamConnection,
  UpstreamRequest,
} from '../../counterpart/resource-server/contract.ts';
import { isPlainlySigned } from '../../forge/jwt.ts';
import { forgeOpaqueToken } from '../../forge/opaque-token.ts';
import { ath } from '../../forge/read.ts';
import { forgeToken } from '../../forge/token.ts';
import type { Token } from '../../forge/token.ts';
import type { Outcome } from '../../wire/connection.ts';
import { describe } from '../describe.ts';
import type { Description, Known } from '../describe.ts';
import { EvidenceBook } from '../evidence.ts';
import { Unjudgeable } from '../finding.ts';
import type { ExchangeEvidence, Permutation, ProofTally } from '../record.ts';
import type { TokenPlan } from '../request.ts';
import { isToken } from '../request.ts';
import type { AgentPlan, Journey } from './agent-plan.ts';
import {
  answeredWith,
  isOfClientItself,
  MARK,
  markOf,
  proofsOf,
  seenFromBehind,
  sentBy,
  tokenIn,
} from './arrival.ts';
import type { Arrival } from './arrival.ts';
import { isChallenge, serveProven, sparingTheClientsOwn } from './answers.ts';
import type { Bench, ClientSetting } from './client-setting.ts';
import { examine } from './proof-examination.ts';
import { NO_PROOFS, tallyOf } from './proof-tally.ts';
import { createPublicKey } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export type { AgentPlan, Journey } from './agent-plan.ts';

const PATH = '/resource';
const LONGEST_PAUSE_MS = 5000;

/**
 * What a scenario of the client role can do without judging: requests of the agent in front, and everything about the
 * resource server behind. One per scenario and permutation.
 */
export class ClientPlay implements AsyncDisposable {
  readonly setting: ClientSetting;
  readonly permutation: Permutation;
  readonly evidence: EvidenceBook;
  /** The client's certificate and key. */
  readonly identity: Identity;
  readonly #bench: Bench;
  readonly #plan: TransportPlan;
  readonly #tokens = new Map<string, Token>();
  /** Those that the suite has signed with the issuer's key, and changed nothing of afterwards. */
  readonly #issued = new Set<string>();
  readonly #firstSeen = new Map<string, number>();
  readonly #defects = new Map<UpstreamRequest, Arrival['defects']>();
  readonly #told = new Map<UpstreamRequest, number>();
  readonly #connectionsTold = new Set<UpstreamConnection>();
  readonly #identities: Identity[];
  #journeys = 0;
  #proofTally: ProofTally = NO_PROOFS;

  protected constructor(
    setting: ClientSetting,
    permutation: Permutation,
    identity: Identity,
    bench: Bench,
    plan: TransportPlan,
  ) {
    this.setting = setting;
    this.permutation = permutation;
    this.identity = identity;
    this.evidence = new EvidenceBook(setting.effort);
    this.#bench = bench;
    this.#plan = plan;
    const { alice, mallory, server } = setting.pki;
    this.#identities = [identity, ...Object.values(alice), mallory, server];
  }

  get full(): boolean {
    return this.setting.profile === 'full';
  }

  /** Whether another scenario had this client before. */
  get onUsedClient(): boolean {
    return this.#bench.used;
  }

  /** The resource server behind the client. */
  get counterpart(): CounterpartServer {
    return this.#bench.counterpart;
  }

  get connections(): readonly UpstreamConnection[] {
    return this.counterpart.connections;
  }

  /** Meets the client's further connections in another way; those that stand stay. */
  meet(change: Partial<TransportPlan>): void {
    this.counterpart.meet({ ...this.#plan, ...change });
  }

  /** Answers further requests in another way. */
  answerWith(script: Script): void {
    this.counterpart.answerWith(sparingTheClientsOwn(script));
  }

  /** A fresh access token: session-bound to the client's certificate unless told otherwise. */
  mint(plan: TokenPlan = {}): Token {
    const { opaque = false, ...request } = plan;
    const complete = { boundTo: this.identity, ...request };
    const token = opaque
      ? forgeOpaqueToken(this.setting.issuer, complete)
      : forgeToken(this.setting.issuer, complete);
    if (!opaque && isPlainlySigned(request)) this.#issued.add(token.compact);
    return this.adopt(token.compact, token.subject);
  }

  /** Takes a text for a session-bound token, such as an opaque one of a certain form. */
  adopt(compact: string, subject = 'alice'): Token {
    const token: Token = { compact, sha256: ath(compact), subject };
    this.#tokens.set(compact, token);
    this.evidence.conceal(compact);
    return token;
  }

  /** Names an identity in evidence that the scenario has made itself. */
  know(identity: Identity): void {
    this.#identities.push(identity);
  }

  /** Sends a request to the client under test as its agent, and judges nothing. */
  async journey(
    what: string,
    plan: AgentPlan = {},
    part: ExchangeEvidence['part'] = 'request',
    expected = 'recorded',
  ): Promise<Journey> {
    const token = isToken(plan.token) ? plan.token : plan.token === null ? null : this.mint(plan.token ?? {});
    const asked = [await this.#ask(plan, token)];
    const [first] = asked;
    if (plan.once !== true && first !== undefined && isChallenge(first.outcome))
      asked.push(await this.#ask(plan, token));
    const outcome = asked.at(-1)?.outcome;
    if (outcome === undefined) throw new Error('the agent asked nothing');
    const arrivals = this.arrivals().filter(({ request }) =>
      asked.some(({ mark }) => mark === markOf(request)),
    );
    for (const arrival of arrivals) {
      // What came of the agent's first attempt is not what it got in the end.
      const own = asked.find(({ mark }) => mark === markOf(arrival.request));
      const got = `the agent got ${outcomeText((own ?? { outcome }).outcome)}`;
      const later = own === first && asked.length > 1 ? `, and asked once more` : '';
      this.#tell(arrival, what, part, expected, `${got}${later}`);
    }
    return { what, token, outcome, arrivals };
  }

  async #ask(plan: AgentPlan, token: Token | null): Promise<{ outcome: Outcome; mark: string }> {
    const mark = String(++this.#journeys);
    const authorization =
      token === null
        ? []
        : (plan.authorization?.(token.compact) ?? [['Authorization', `Bearer ${token.compact}`] as const]);
    const request: AgentRequest = {
      method: plan.method ?? 'GET',
      target: plan.path ?? PATH,
      fields: [...authorization, ...(plan.fields ?? []), [MARK, mark]],
      ...(plan.body && { body: plan.body }),
      ...(plan.trailers && { trailers: plan.trailers }),
      ...(plan.signal && { signal: plan.signal }),
    };
    const patience = plan.patienceMs ?? this.setting.patienceMs;
    return { outcome: await this.#bench.send(request, patience), mark };
  }

  /** Everything that has arrived so far because of an agent, or with credentials, examined. */
  arrivals(): readonly Arrival[] {
    return this.#examined(this.counterpart.requests.filter((request) => !isOfClientItself(request)));
  }

  #examined(requests: readonly UpstreamRequest[]): readonly Arrival[] {
    const seen = new Set<string>();
    return requests.map((request) => {
      const proofs = proofsOf(request);
      const [proof] = proofs;
      const before = proof !== undefined && seen.has(proof);
      if (proof !== undefined) seen.add(proof);
      return {
        request,
        proofs,
        token: this.#tokens.get(tokenIn(request) ?? '') ?? null,
        defects: proof === undefined ? [] : this.#examine(proof, request),
        proofSeenBefore: before,
      };
    });
  }

  /** Once for each request: verifying all signatures again with every request of a series would take most of its time. */
  #examine(proof: string, request: UpstreamRequest): Arrival['defects'] {
    const known = this.#defects.get(request);
    if (known !== undefined) return known;
    const defects = this.#compare(proof, request);
    this.#defects.set(request, defects);
    return defects;
  }

  #compare(proof: string, request: UpstreamRequest): Arrival['defects'] {
    const firstSeenAt = this.#firstSeen.get(proof) ?? request.receivedAt;
    this.#firstSeen.set(proof, firstSeenAt);
    return examine(proof, {
      connection: request.connection,
      others: this.connections.filter((connection) => connection !== request.connection),
      token: tokenIn(request) ?? '',
      request,
      firstSeenAt,
      host: this.setting.upstreamName,
    });
  }

  /** The form of every proof that arrived in this scenario; complete once the stage is released. */
  get proofTally(): ProofTally {
    return this.#proofTally;
  }

  /** Every proof of every request, also where a request carries several. */
  #tally(): ProofTally {
    return tallyOf(
      this.counterpart.requests.flatMap((request) =>
        proofsOf(request).map((proof, index) => ({
          proof,
          where: this.evidence.redact(`${request.method} ${request.target} on ${request.connection.id}`),
          defects: index === 0 ? this.#examine(proof, request) : this.#compare(proof, request),
        })),
      ),
    );
  }

  #tell(
    arrival: Arrival,
    what: string,
    part: ExchangeEvidence['part'],
    expected: string,
    agentGot: string,
  ): void {
    const { request, defects, proofs } = arrival;
    if (this.#told.has(request)) return;
    const proofText =
      proofs.length === 0
        ? 'no proof'
        : defects.length === 0
          ? arrival.proofSeenBefore
            ? 'the same right proof as before'
            : 'a right proof'
          : defects.map((defect) => defect.what).join('; ');
    const id = this.evidence.exchanged({
      sent: sentBy(arrival, seenFromBehind(request.connection, this.#identities), this.#authority),
      description: () => this.describe(arrival),
      part,
      what,
      outcome: answeredWith(request.answer),
      expected,
      observed: `${proofText}; ${agentGot}`,
    });
    this.#told.set(request, id);
  }

  /** The number of an arrived request in the evidence, once it is told there. */
  exchangeOf(request: UpstreamRequest): number | undefined {
    return this.#told.get(request);
  }

  /** The authority under which the client would call a server of the suite. */
  authorityOf({ port }: { readonly port: number }): string {
    return `${this.setting.upstreamName}:${port}`;
  }

  /** The authority that the client was told to call. */
  get #authority(): string {
    return this.authorityOf(this.counterpart);
  }

  /** An arrived request in the suite's symbolic terms. */
  describe(arrival: Arrival): Description {
    const connection = seenFromBehind(arrival.request.connection, this.#identities);
    return describe(sentBy(arrival, connection, this.#authority), this.#known());
  }

  #known(): Known {
    const exporterValues = new Map(
      this.connections.flatMap((connection) => [
        [connection.exporter().toString('base64url'), `the exporter value of ${connection.id}`] as const,
      ]),
    );
    return {
      identities: this.#identities,
      keyType: this.permutation.key,
      issuerKey: createPublicKey(this.setting.issuer.privateKey),
      exporterValues,
      proofIdsSeen: new Set(),
      issuedTokens: this.#issued,
      signers: new Map(),
      dpopKeys: this.setting.dpopKey === null ? [] : [this.setting.dpopKey],
    };
  }

  /** Hands the client another certificate and key. */
  async rotate(identity: Identity): Promise<void> {
    this.know(identity);
    await this.#bench.rotate(identity);
  }

  /** At which addresses of this machine other than loopback the client accepts connections. */
  reachBeyondLoopback(): Promise<Reach> {
    return this.#bench.reachBeyondLoopback();
  }

  /** The last lines that the client wrote. */
  log(): readonly string[] {
    return this.#bench.log();
  }

  /** Lets time pass, for requirements about time itself: a few seconds at most. */
  async elapse(milliseconds: number): Promise<void> {
    await pause(Math.min(milliseconds, LONGEST_PAUSE_MS));
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

  /** Ends the scenario: it does not apply to this target. */
  notApplicable(reason: string): never {
    throw new Unjudgeable('not-applicable', 'target', this.evidence.redact(reason));
  }

  /** Ends the scenario: it could not be measured. */
  inconclusive(reason: string, attribution: 'target' | 'harness' | 'environment' = 'target'): never {
    throw new Unjudgeable('inconclusive', attribution, this.evidence.redact(reason));
  }

  /** Takes what has come unasked, and all connections, into the evidence. */
  protected tellTheRest(): void {
    for (const connection of this.connections) {
      if (this.#connectionsTold.has(connection)) continue;
      this.#connectionsTold.add(connection);
      this.evidence.connected(seenFromBehind(connection, this.#identities));
    }
    for (const arrival of this.#examined(this.counterpart.requests)) {
      const own = isOfClientItself(arrival.request);
      const what = own ? 'a request of the client’s own' : 'a request that belongs to none of the agent’s';
      this.#tell(arrival, what, 'request', 'recorded', 'nobody asked');
    }
    for (const { reason } of this.counterpart.failedHandshakes)
      this.note(`a handshake did not come to its end: ${reason}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.tellTheRest();
    this.#proofTally = this.#tally();
    const { faults } = this.counterpart;
    await this.#bench[Symbol.asyncDispose]();
    if (faults.length > 0) this.inconclusive(`the counterpart failed: ${faults.join('; ')}`, 'harness');
  }

  /** Begins: the transport of the permutation, and the script that serves whatever is proven. */
  protected static async begin(bench: Bench, permutation: Permutation): Promise<TransportPlan> {
    const plan: TransportPlan = { tls: permutation.tls, http: permutation.http };
    await bench.counterpart.begin(plan, sparingTheClientsOwn(serveProven));
    return plan;
  }
}

/** An outcome in a few words. */
export function outcomeText(outcome: Outcome): string {
  return outcome.type === 'response'
    ? String(outcome.status)
    : `no response (${outcome.kind}: ${outcome.detail})`;
}
