import type { Identity } from '../../certs/identity.ts';
import { forgeProof } from '../../harness/forge/proof.ts';
import { read } from '../../harness/scenario/expectation.ts';
import type { AttackEvidence } from '../../harness/scenario/record.ts';
import type {
  AuthorizationServerStage,
  Form,
  RequestOptions,
} from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer, IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import type { Field } from '../../harness/wire/connection.ts';
import { EVERY_SCOPE, exchange, isBound, neverExchanged, partiesOf, seen, tokenForHop } from './exchange.ts';
import type { Exchanger } from './exchange.ts';

/** What T6 is told with: a token whose owner could exchange it, a thief who tries, and what that came to. */

const UNBOUND =
  'The token has no cnf, though its client is registered for session-bound tokens: nobody can be asked for its key. Bind it (AS-REG-1), and compare x5t#S256 with the certificate of the request’s own connection, or the audience with the client that asks (draft -06 §4.6.1).';

/** As whom the thief tries; `null`: without a certificate. */
export interface Thief {
  readonly client: string;
  readonly by: Identity | null;
}

/** What an attempt came to. */
interface Try {
  readonly told: AttackEvidence['attempts'][number];
  readonly unanswered: boolean;
}

/** A token that was stolen, before its owner has exchanged it. */
export interface Theft {
  readonly loot: IssuedToken;
  /** Whether it is session-bound, as its client is registered for; true where that is not seen. */
  readonly bound: boolean;
  readonly owner: Exchanger;
  /** What authenticates the owner besides its certificate. */
  readonly credentials?: Credentials;
}

/** What a client sends to be authenticated, where its certificate alone does not. */
interface Credentials {
  readonly form: Form;
  readonly fields: readonly Field[];
}

/**
 * Steals a token of a client that is registered for session-bound ones. Another one of its kind was just exchanged by its
 * owner, so that the thief's failure says something; this one was not, since a token may be good for one exchange only.
 * Where such a client gets tokens that are not bound (AS-REG-1), the thief has one of those: it is what there is to steal.
 */
export async function steal(stage: AuthorizationServerStage, resource?: string): Promise<Theft> {
  const { holder, recipient } = partiesOf(stage);
  const control = { part: 'control', expected: 'a token' } as const;
  const own = (): Promise<IssuedToken> =>
    stage.token('a session-bound token', { ...EVERY_SCOPE, resource }, {}, holder.client);
  if ((await exchange(stage, 'a token like it, by its holder', await own(), holder, {}, control)) !== null)
    return theftOf(stage, await own(), holder, resource);
  const forHop = resource === undefined ? await tokenForHop(stage) : null;
  if (forHop === null) return neverExchanged(stage);
  const passedOn = await exchange(stage, 'one like it, by its recipient', forHop, recipient, {}, control);
  const loot = passedOn && (await tokenForHop(stage));
  return loot === null ? neverExchanged(stage) : theftOf(stage, loot, recipient, stage.registry.hop);
}

/** The theft of a token; says in the evidence where it is not session-bound. */
export async function theftOf(
  stage: AuthorizationServerStage,
  loot: IssuedToken,
  owner: Exchanger,
  resource?: string,
): Promise<Theft> {
  const claims = await seen(stage, loot, resource);
  const bound = claims === null || isBound(claims);
  if (!bound)
    stage.note(
      `what is stolen is the token of a client that is registered for session-bound tokens, and it is not session-bound (cnf is ${JSON.stringify(claims['cnf'])}): see AS-REG-1`,
    );
  return { loot, bound, owner };
}

/** Tokens in an answer besides the one that is known: what a thief could go on with. */
export function gains({ json, outcome }: Answer, { compact }: IssuedToken): readonly string[] {
  const named = ['access_token', 'refresh_token', 'id_token'].filter((name) => json[name] !== undefined);
  const text = outcome.type === 'response' ? outcome.body.toString('utf8').replaceAll(compact, '') : '';
  return named.length === 0 && /\beyJ[\w-]+\.[\w-]+\.[\w-]+/.test(text) ? ['a JWT'] : named;
}

/** The attempts of one story. */
export class Attack {
  readonly #stage: AuthorizationServerStage;
  readonly #theft: Theft;
  readonly #tries: Try[] = [];

  constructor(stage: AuthorizationServerStage, theft: Theft) {
    this.#stage = stage;
    this.#theft = theft;
  }

  /** The thief tries to exchange what it stole; a token in the answer, of whatever kind, is a success. */
  async exchange(what: string, as: Thief, form: Form = {}, options: RequestOptions = {}): Promise<Answer> {
    const { loot } = this.#theft;
    const answer = await this.#stage.requestExchange(what, loot, as.client, form, {
      by: as.by,
      expected: 'refused',
      ...options,
    });
    this.came(what, answer, gains(answer, loot));
    return answer;
  }

  /** Records what an attempt came to. */
  came(what: string, answer: Answer, gained: readonly string[]): void {
    const succeeded = gained.length > 0;
    const outcome = succeeded
      ? `answered ${answer.text} with ${gained.join(' and ')}, must be refused`
      : `${answer.status < 400 && answer.status > 0 ? 'answered without anything of use' : 'refused'}: ${answer.text}`;
    const unanswered = read(answer.outcome).kind === 'no-answer';
    this.#tries.push({ told: { attempt: what, outcome, succeeded }, unanswered });
  }

  /** Checks that the owner can exchange what was stolen: else the refusals may be for something else. */
  async ownerGoesOn(when: string): Promise<void> {
    const { loot, owner, credentials: { form, fields } = { form: {}, fields: [] } } = this.#theft;
    const control = { part: 'control', expected: 'a token', fields } as const;
    if ((await exchange(this.#stage, `its owner, ${when}`, loot, owner, form, control)) === null)
      this.#stage.inconclusive(`${when}, ${owner.who} cannot exchange the token either`);
  }

  /**
   * Tells the story.
   *
   * @param further what the attacker has beside the token
   */
  tell(attacker: string, further = ''): void {
    const { bound } = this.#theft;
    const opaque = this.#theft.loot.claims === null ? 'opaque ' : '';
    const loot = `${bound ? `A session-bound ${opaque}token` : `An ${opaque}access token that is not session-bound, though its client is registered for that`}${further}`;
    const attempts = this.#tries.map(({ told }) => told);
    this.#stage.attack({ attacker, loot, attempts }, bound ? undefined : UNBOUND);
    const silent = this.#tries.filter(({ unanswered }) => unanswered).map(({ told }) => told);
    if (silent.length > 0)
      this.#stage.inconclusive(silent.map(({ attempt, outcome }) => `${attempt}: ${outcome}`).join('\n'));
  }
}

/** A proof of the owner's, as a resource server receives it: it holds on another connection, and a thief has it as it is. */
export async function capturedProof(
  stage: AuthorizationServerStage,
  { loot, owner }: Theft,
): Promise<readonly Field[]> {
  const ekm = (await stage.connect({ identity: owner.by })).exporter();
  return [['Session-Binding-Proof', forgeProof({ token: loot.compact, ekm, identity: owner.by })]];
}

/**
 * What the thief gains by presenting the stolen token for its actor token: a token that says that the owner acts. Where
 * actor tokens are overlooked (RFC 6749 §3.2), the owner is not in it.
 */
export async function actsFor(
  stage: AuthorizationServerStage,
  answer: Answer,
  { loot }: Theft,
): Promise<readonly string[]> {
  const successor = tokenOf(answer);
  const [said, owner] = [successor && (await seen(stage, successor)), await seen(stage, loot)];
  const [actor, subject] = [said?.['act'] ?? null, owner?.['sub']];
  return typeof subject === 'string' && JSON.stringify(actor).includes(JSON.stringify(subject))
    ? ['a token that names the owner as actor']
    : [];
}

/** A token of a client's own, to exchange beside a stolen one; `null` where it gets none. */
export async function tokenOfIts(
  stage: AuthorizationServerStage,
  { who, client, by }: Exchanger,
  form: Form,
): Promise<IssuedToken | null> {
  return tokenOf(await stage.requestToken(`${who}, with a token of its own`, form, { by }, client));
}
