import { serveProven } from '../../harness/scenario/client/answers.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { isProven } from './upstream.ts';

/** What an agent has from a request that went wrong, and from the next one. */

/** What the agent asks again when its client answers for itself: a connection may be found dead only when it is used. */
const ATTEMPTS = 3;

const NOT_RECOVERED =
  'A connection on which a response went wrong stays in use. Drop it with everything that belongs to it, and serve the next request on another one.';

/** Whether the agent was handed something as the whole response of a server. */
export function isTaken(outcome: Outcome): boolean {
  return outcome.type === 'response' && outcome.status < 400;
}

export function isHanging(outcome: Outcome): boolean {
  return outcome.type === 'failure' && outcome.kind === 'timeout';
}

/** Judged: the next request is served, with a proof. */
export async function servesNext(stage: ClientStage, what: string, plan: AgentPlan): Promise<void> {
  stage.answerWith(serveProven);
  let got = 'nothing';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { outcome, arrivals } = await stage.journey(
      `the next request after ${what}`,
      plan,
      'variant',
      'served',
    );
    if (isTaken(outcome) && arrivals.some(isProven)) return;
    got = outcomeText(outcome);
  }
  stage.holds(
    false,
    `${what}: the next request was not served, asked ${ATTEMPTS} times (${got})`,
    NOT_RECOVERED,
  );
}
