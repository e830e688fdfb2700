import { read } from '../../harness/scenario/expectation.ts';
import type { Reading } from '../../harness/scenario/expectation.ts';
import type { AttackEvidence } from '../../harness/scenario/record.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import type { Exchange, Way } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { ConnectFailure } from '../../harness/wire/connection.ts';

/** What attacks are told with: a victim at work, attempts with what was stolen from it, and the outcome. */

type Attempt = AttackEvidence['attempts'][number];

/** What it means that an attempt succeeds. */
export interface Meaning {
  /** The fields in which its request differs from one that the victim might send. */
  readonly differs: readonly string[];
  /** The likely mistake and its cure, where it is no check that is missing altogether. */
  readonly cause?: string;
}

/** What an attempt came to. */
export interface Try extends Attempt, Partial<Meaning> {
  readonly unanswered: boolean;
}

function told(attempt: string, reading: Reading, meaning: Meaning | undefined): Try {
  const succeeded = reading.kind === 'served';
  return {
    attempt,
    outcome: succeeded ? `served (${reading.text}), must be refused` : `not served: ${reading.text}`,
    succeeded,
    unanswered: reading.kind === 'no-answer',
    ...meaning,
  };
}

/** The attacker sends a request; not even being let in counts as refused. */
export async function attempt(
  stage: Stage,
  what: string,
  plan: RequestPlan,
  way: Way = {},
  meaning?: Meaning,
): Promise<Try> {
  try {
    return told(what, (await stage.send(what, plan, way, 'variant', 'refused')).reading, meaning);
  } catch (error) {
    if (error instanceof ConnectFailure) return told(what, read(error.outcome), meaning);
    throw error;
  }
}

/** Many attempts at once, told as one. */
export async function swarm(stage: Stage, what: string, plan: RequestPlan, meaning: Meaning): Promise<Try> {
  const [connections, requests] = stage.full ? [5, 40] : [2, 10];
  const crowd = await Promise.all(Array.from({ length: connections }, () => stage.connect()));
  const exchanges = await Promise.all(
    crowd.flatMap((on) => Array.from({ length: requests }, () => stage.send(what, plan, { on }))),
  );
  await Promise.all(crowd.map((connection) => connection.close()));
  const served = exchanges.filter((exchange) => exchange.served).length;
  const outcome = `${served} of ${exchanges.length} served`;
  return {
    attempt: `${exchanges.length} times at once ${what}`,
    outcome,
    succeeded: served > 0,
    unanswered: false,
    ...meaning,
  };
}

type TokenOf = NonNullable<RequestPlan['token']>;

export interface Victim {
  readonly plan: { readonly token: TokenOf };
  /** What the thief takes: the token and the proof just as they were sent. */
  readonly loot: { readonly token: TokenOf; readonly proof: readonly string[] };
  /** The request that they were taken from. */
  readonly exchange: Exchange;
  goesOn(when: string): Promise<void>;
}

/** The victim at work: served before anything is stolen, and to be served all along. */
export async function victimOf(stage: Stage): Promise<Victim> {
  const plan = { token: await stage.mint() };
  const exchange = await stage.control('the victim, before the attack', plan);
  const loot = { ...plan, proof: exchange.proofs };
  return {
    plan,
    loot,
    exchange,
    async goesOn(when) {
      const what = `the victim, ${when}`;
      const on = exchange.connection;
      // One proof serves as long as its connection; where that has ended, the victim makes another one.
      const again = on.open ? await stage.sendCurrent(what, loot, { on }, 'control') : undefined;
      if (again?.served !== true && (again === undefined || again.reading.kind === 'cut'))
        await stage.control(what, plan);
      else if (!again.served) stage.rejected(what, again);
    },
  };
}

export async function tell(
  stage: Stage,
  story: { readonly attacker: string; readonly loot: string; readonly attempts: readonly Try[] },
  victim: Victim,
): Promise<void> {
  stage.attack(story);
  await victim.goesOn('after the attack');
  const silent = story.attempts.filter(({ unanswered }) => unanswered);
  if (silent.length > 0)
    stage.inconclusive(silent.map((one) => `${one.attempt}: ${one.outcome}`).join('\n'), 'target');
}
