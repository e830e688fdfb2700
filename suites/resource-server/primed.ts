import type { Token } from '../../harness/forge/token.ts';
import type { Expectation } from '../../harness/scenario/expectation.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** A pair of connection and token whose binding has been verified: the same proof was served for it twice. */
export interface Primed {
  readonly connection: Connection;
  readonly token: Token;
  readonly proof: string;
  /** What variations on this pair form minimal pairs with. */
  readonly control: Exchange;
}

export interface Priming {
  readonly connection?: Connection;
  readonly token?: Token;
  /** A further request on the pair, which is the control instead. */
  readonly further?: () => RequestPlan;
}

/** What has the form of a proof and says nothing. */
export const NO_PROOF = 'no.proof.atall';

/** A token that is surely another one than those before; not to be had where the target takes a single given one. */
export function another(stage: Stage): Promise<Token> {
  return stage.mint({ subject: 'alice' });
}

/** Has the target verify a binding, so that it may be cached from here on. */
export async function prime(stage: Stage, given: Priming = {}): Promise<Primed> {
  const connection = given.connection ?? (await stage.connect());
  const token = given.token ?? (await stage.mint());
  const proof = stage.proof(connection, token);
  const way = { on: connection };
  const first = await stage.control('a token with its proof', { token, proof }, way);
  const again: RequestPlan = { token, proof, fields: [['X-Tsbt-Neutral', '1']] };
  await stage.control('the same token and proof again, with a harmless difference', again, way);
  if (given.further === undefined) return { connection, token, proof, control: first };
  const control = await stage.control('a right request on the same pair', { token, ...given.further() }, way);
  return { connection, token, proof, control };
}

/**
 * Judged: each variation is refused on a connection that has verified a binding; the binding itself goes on
 * working. A target may end a connection after a refusal: then the next variation gets a new pair.
 *
 * @param variations made for the pair that they are tried on; they vary its right request
 */
export async function refusesOnPrimed(
  stage: Stage,
  expectation: Expectation,
  variations: readonly ((primed: Primed) => Variation | Promise<Variation>)[],
  priming: Priming = {},
): Promise<void> {
  let primed = await prime(stage, priming);
  let untouched = true;
  const attempt = async (make: (primed: Primed) => Variation | Promise<Variation>): Promise<boolean> => {
    if (!primed.connection.open) {
      primed = await prime(stage, { ...priming, connection: await stage.connect() });
      untouched = true;
    }
    const { token, proof, connection, control } = primed;
    const variation = await make(primed);
    const came = await stage.refusesOne(
      expectation,
      variation,
      control,
      { token, proof },
      { on: connection },
    );
    const answered = untouched || !('reading' in came) || came.reading.kind !== 'cut';
    untouched = false;
    return answered;
  };
  for (const variation of variations) {
    if (await attempt(variation)) continue;
    // The connection had already been ended because of the refusal before: this one was not looked at.
    primed = await prime(stage, { ...priming, connection: await stage.connect() });
    untouched = true;
    await attempt(variation);
  }
  const { token, proof, connection } = primed;
  if (!connection.open) return;
  const what = 'the verified token with its proof once more';
  const last = await stage.sendCurrent(what, { token, proof }, { on: connection }, 'control');
  if (!last.served && last.reading.kind !== 'cut') stage.rejected(`the control "${what}"`, last);
}

/** Ends the scenario where the target had too many requests (RFC 6585 §4), which is no matter of tokens and proofs. */
export function unthrottled(stage: Stage, what: string, { reading }: Exchange): void {
  if (reading.kind === 'no-answer' && reading.retryAfterMs !== undefined)
    stage.inconclusive(
      `${what}: answered ${reading.text}: the target limits the rate of requests; lift the limit for the run`,
      'target',
    );
}

/**
 * Judged: the request is served on the connection. For loops: unlike `stage.accepts` it leaves evidence of the first
 * exchanges only.
 */
export async function serves(
  stage: Stage,
  what: string,
  plan: RequestPlan,
  connection: Connection,
  cause: string | null,
): Promise<boolean> {
  const exchange = await stage.sendCurrent(what, plan, { on: connection });
  const { served, reading } = exchange;
  if (served) return true;
  unthrottled(stage, what, exchange);
  if (reading.kind === 'cut')
    stage.notApplicable(
      `the target ended the connection instead of an answer to "${what}" (${reading.text})`,
    );
  if (reading.kind === 'no-answer')
    stage.inconclusive(`${what}: no answer that can be judged (${reading.text})`, 'target');
  await stage.mustHaveServed(what, exchange, plan, cause);
  return false;
}

/** Like `stage.control`, for loops: leaves evidence of the first exchanges only. */
export async function works(stage: Stage, what: string, plan: RequestPlan, on: Connection): Promise<void> {
  const exchange = await stage.sendCurrent(what, plan, { on });
  const { served, reading } = exchange;
  if (served) return;
  if (reading.kind === 'cut')
    stage.notApplicable(
      `the target ended the connection instead of an answer to "${what}" (${reading.text})`,
    );
  stage.rejected(`the control "${what}"`, exchange);
}

/** Whether a long loop may go on: on a slow machine it is cut short rather than run into the scenario's bound. */
export function timeFor(milliseconds: number): () => boolean {
  const end = performance.now() + milliseconds;
  return () => performance.now() < end;
}
