import { randomUUID } from 'node:crypto';
import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { Expectation } from '../../harness/scenario/expectation.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import { isToken } from '../../harness/scenario/request.ts';
import type { RequestPlan, TokenPlan } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';
import { another } from './primed.ts';

/** Proofs whose identifier is chosen, presented once and then again (draft -06 §2.3.2.2, RFC 9449 §11.1). */

/** What is chosen of a proof; the rest of it is valid for the request. */
export interface ChosenClaims {
  readonly jti: string;
  readonly iat?: number;
}

/** The proof that carries the identifier: the draft's own, or that of RFC 9449. */
export interface Carrier {
  /** Where the identifier stands in a description. */
  readonly field: 'proof.claims.jti' | 'dpop.claims.jti';
  /** What an immediate repetition of an ordinary identifier is judged by. */
  readonly judgedBy: string;
  readonly refusal: Expectation;
  mint(plan?: TokenPlan): Promise<Token>;
  /** A request with a proof with these claims. */
  first(on: Connection, token: Token, claims: ChosenClaims): RequestPlan;
  /**
   * A request that presents the identifier of an earlier one again: in the same proof where that is still valid on the
   * connection, else in a new one.
   */
  again(on: Connection, earlier: Presented): RequestPlan;
}

/** A request with an identifier, and what came of it. */
export interface Presented {
  readonly exchange: Exchange;
  readonly token: Token;
  readonly claims: ChosenClaims;
}

/** Identifiers of Session-Binding Proofs. */
export function inSessionProofs(stage: Stage): Carrier {
  const plan = (token: Token, claims: ChosenClaims): RequestPlan => ({
    token,
    proof: { claims: { ...stage.perRequest(), ...claims } },
  });
  return {
    field: 'proof.claims.jti',
    judgedBy: 'RS-PL-7',
    refusal: refused('invalid_proof'),
    mint: (change = {}) => stage.mint({ subject: 'alice', ...change }),
    first: (_on, token, claims) => plan(token, claims),
    again: (on, { exchange, token, claims }) =>
      on === exchange.connection ? { token, proof: exchange.proofs } : plan(token, claims),
  };
}

/**
 * Presents identifiers with tokens of its own, each list of them with one token on one connection. A target may end a
 * connection at any time; then the list is presented once more with another token, for which none of them is used up.
 */
export class Presenter {
  readonly #stage: Stage;
  readonly #carrier: Carrier;
  #on: Connection | undefined;
  /** Whether one connection is used for several requests: not where the target ends them. */
  #reuses: boolean;

  constructor(stage: Stage, carrier: Carrier) {
    this.#stage = stage;
    this.#carrier = carrier;
    this.#reuses = stage.persistent;
  }

  /**
   * Presents each identifier once, in order, and judges nothing.
   *
   * @param token a token that was used before, or what is different about the one to be made
   */
  async once(
    what: string,
    list: readonly (string | ChosenClaims)[],
    token?: Token | TokenPlan,
  ): Promise<readonly Presented[]> {
    return (
      (await this.#tryOnce(what, list, token)) ??
      (await this.#tryOnce(what, list, token)) ??
      this.#stage.notApplicable('the target ends connections instead of answering')
    );
  }

  async #tryOnce(
    what: string,
    list: readonly (string | ChosenClaims)[],
    plan: Token | TokenPlan | undefined,
  ): Promise<readonly Presented[] | undefined> {
    const stage = this.#stage;
    const token = isToken(plan) ? plan : await this.#carrier.mint(plan);
    const presented: Presented[] = [];
    for (const each of list) {
      const claims = typeof each === 'string' ? { jti: each } : each;
      // On a connection that the target ends after each response the request could be lost, with its identifier used up.
      const on: Connection = (this.#on =
        this.#on?.open === true && this.#reuses ? this.#on : await stage.connect());
      const request = this.#carrier.first(on, token, claims);
      const exchange = await stage.send(what, request, { on }, 'control', 'recorded');
      const { kind, text } = exchange.reading;
      if (kind === 'no-answer') return stage.inconclusive(`${what}: no answer that can be judged (${text})`);
      if (kind === 'cut') {
        this.#reuses = false;
        return undefined;
      }
      presented.push({ exchange, token, claims });
    }
    return presented;
  }

  /**
   * Ends the scenario where identifiers are not remembered at all: nothing is to be said then about how long, or how
   * exactly.
   */
  async remembersAny(): Promise<void> {
    const stage = this.#stage;
    const [ordinary] = await this.once('a proof with an ordinary jti', [randomUUID()]);
    if (ordinary?.exchange.served !== true)
      return stage.inconclusive(
        `the valid request with a fresh jti was rejected (${ordinary?.exchange.reading.text}), so rejecting a used one would prove nothing`,
        'target',
      );
    if (await this.servesAgain(ordinary, 'the ordinary jti again'))
      stage.notApplicable(
        `no jti is remembered, not even for a moment; see ${this.#carrier.judgedBy}, which judges that`,
      );
  }

  /** Judged: the identifier of an earlier request is not accepted again. */
  async refusesAgain(
    earlier: Presented,
    what: string,
    cause: string,
    way: { readonly claims?: ChosenClaims; readonly control?: Presented } = {},
  ): Promise<void> {
    const stage = this.#stage;
    const on = await this.#connectionFor(earlier);
    const change = this.#again(on, earlier, way.claims);
    const control = (way.control ?? earlier).exchange;
    // A proof that was made for the purpose is of this moment, whatever the age of the first one.
    const dated = this.#carrier.field.replace('jti', 'iat');
    const redated = way.claims !== undefined && control.description.get(dated) !== 'now';
    const differs = [this.#carrier.field, ...(redated ? [dated] : [])];
    await stage.refusesOne(this.#carrier.refusal, { what, on, change, differs, cause }, control);
  }

  /**
   * Whether the identifier of an earlier request is accepted again; not judged.
   *
   * @param claims of a new proof
   */
  async servesAgain(earlier: Presented, what: string, claims?: ChosenClaims): Promise<boolean> {
    const on = await this.#connectionFor(earlier);
    const plan = this.#again(on, earlier, claims);
    return (await this.#stage.send(what, plan, { on }, 'request', 'refused')).served;
  }

  #again(on: Connection, earlier: Presented, claims: ChosenClaims | undefined): RequestPlan {
    return claims === undefined
      ? this.#carrier.again(on, earlier)
      : this.#carrier.first(on, earlier.token, claims);
  }

  async #connectionFor({ exchange: { connection } }: Presented): Promise<Connection> {
    return connection.open ? connection : await this.#stage.connect();
  }

  /**
   * Whether an identifier is good once for all tokens together (AMB-29). Then one that others may have used before
   * tells nothing when it is rejected at first sight.
   */
  async forAllTokens(): Promise<boolean> {
    const jti = randomUUID();
    const [first] = await this.once('a fresh jti', [jti]);
    const [elsewhere] = await this.once('the same jti with another token', [jti]);
    return first?.exchange.served === true && elsewhere?.exchange.served === false;
  }

  /** The control after a request that ought to have been served and was not. */
  async stillServes(): Promise<void> {
    const [fresh] = await this.once('a proof with a fresh jti again', [randomUUID()]);
    if (fresh?.exchange.served !== true)
      this.#stage.inconclusive(
        `valid requests are not served any more (${fresh?.exchange.reading.text}), so nothing can be blamed on the jti`,
        'target',
      );
  }
}

/** Makes sure that the scenario can have tokens of its own at all. */
export async function ownTokens(stage: Stage): Promise<void> {
  await another(stage);
}
