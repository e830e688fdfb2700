import type { Identity } from '../../certs/identity.ts';
import type { Answer, Script } from '../../harness/counterpart/resource-server/contract.ts';
import { serveProven } from '../../harness/scenario/client/answers.ts';
import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import type { AgentPlan, Journey } from '../../harness/scenario/client/client-play.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import type { Aspect } from '../../harness/scenario/client/defect.ts';

/** What scenarios about the client's connections do to them, and how they find out what it does next. */

/** A client may answer for itself while its connections are gone, so the agent asks again: at most so often. */
const ATTEMPTS = 3;

/** How long requests are held back for others that may not come, in milliseconds. */
const TOGETHER_MS = 200;

/** Whether a request came with a proof. */
export function isProven({ proofs }: Arrival): boolean {
  return proofs.length > 0;
}

/** Ends all connections in good order. The client knows of it when this resolves. */
export async function endAll(stage: ClientStage): Promise<void> {
  await Promise.all(stage.connections.map((connection) => connection.end()));
}

/** Whether the first wrong proof is explained by what the scenario is about. */
export type Explains = (arrival: Arrival, defects: Arrival['defects']) => boolean;

/** What belongs to one connection, token or request went out with another. */
const ASTRAY: Explains = (_arrival, defects) => defects.some(({ astray }) => astray === true);

/** On a connection that has resumed a TLS session. */
export const ON_RESUMED: Explains = (arrival, defects) =>
  arrival.request.connection.facts.resumed && ASTRAY(arrival, defects);

/** Nothing is: each defect is told with its own cure. */
export const NEVER: Explains = () => false;

/** The defects of an arrival in these aspects. */
function defectsOf({ defects }: Arrival, aspects: readonly Aspect[]): Arrival['defects'] {
  return defects.filter(({ aspect }) => aspects.includes(aspect));
}

/**
 * Judged, once for a scenario: nothing is wrong with these aspects of any proof that arrived. How often a client retries
 * is a matter of time, so that however many are wrong, it is one finding.
 *
 * @param explains whether the scenario's cause is told for the first wrong proof, or else that proof's own. Default: where
 *   its values are right for another connection, token or request
 */
export function allSound(
  stage: ClientStage,
  aspects: readonly Aspect[],
  arrivals: readonly Arrival[] = stage.arrivals(),
  explains: Explains = ASTRAY,
): void {
  const proven = arrivals.filter(isProven);
  const wrong = proven.filter((arrival) => defectsOf(arrival, aspects).length > 0);
  const [first] = wrong;
  if (first === undefined) return;
  const { method, target, connection } = first.request;
  const defects = defectsOf(first, aspects);
  const which = `${wrong.length} of ${proven.length} proofs ${wrong.length === 1 ? 'is' : 'are'} wrong`;
  const what = defects.map((defect) => defect.what).join('; ');
  const cure = defects.find((defect) => defect.cure !== null)?.cure ?? null;
  stage.holds(
    false,
    `${which}, the first with ${method} ${target} on ${connection.id}: ${what}`,
    explains(first, defects) ? undefined : cure,
  );
}

/** Shows a proof beside one that was right; the findings are {@link allSound}'s. */
export function pairUp(
  stage: ClientStage,
  aspects: readonly Aspect[],
  control: Arrival,
  arrival: Arrival,
  what: string,
): void {
  const wrong = defectsOf(arrival, aspects).map((defect) => defect.what);
  const verdict = wrong.length === 0 ? 'pass' : 'fail';
  stage.pair(what, control, arrival, 'a right proof', wrong.join('; ') || 'a right proof', verdict);
}

/**
 * However often the client needs to be asked: a request that arrives with a proof, shown beside one that was right. Where
 * it never comes back there is nothing to judge but what came before.
 */
export async function returns(
  stage: ClientStage,
  aspects: readonly Aspect[],
  control: Arrival,
  what: string,
  plan: AgentPlan = {},
): Promise<Journey> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const journey = await stage.journey(what, plan, 'variant', 'a right proof, or none');
    const arrivals = journey.arrivals.filter(isProven);
    const arrival = arrivals.find((one) => defectsOf(one, aspects).length > 0) ?? arrivals[0];
    if (arrival === undefined) continue;
    pairUp(stage, aspects, control, arrival, what);
    return journey;
  }
  allSound(stage, aspects);
  return stage.inconclusive(
    `${what}: asked ${ATTEMPTS} times, and no request with a proof arrived, so that nothing is known of it`,
  );
}

/** The certificate of another server that the client may trust as much as the first one. */
export async function anotherServer(stage: ClientStage, name: string): Promise<Identity> {
  const { setting } = stage;
  const identity = await setting.issue(setting.pki.trusted, {
    name,
    keyType: 'P-256',
    dns: [setting.upstreamName],
    ip: ['127.0.0.1', '::1'],
    extendedKeyUsage: ['serverAuth'],
  });
  stage.know(identity);
  return identity;
}

/** Tells of a client that leaves nothing to confuse. */
export function noteSingle(stage: ClientStage): void {
  if (stage.connections.length === 1)
    stage.note('the client has one connection at a time, so that there was none to take for another');
}

function isServed(answer: Answer): boolean {
  return answer.kind === 'response' && answer.status === 200;
}

/** Answers requests that came with a proof with one after the other of these, and serves what comes later. */
export function answering(...answers: readonly Answer[]): Script {
  const left = [...answers];
  return async (request) => {
    const usual = await serveProven(request);
    return isServed(usual) ? (left.shift() ?? usual) : usual;
  };
}

/** Serves what came with a proof and then ends the connection. */
export const servingOnce: Script = async (request) => {
  const answer = await serveProven(request);
  return answer.kind === 'response' && answer.status === 200 ? { ...answer, closes: true } : answer;
};

/** Holds back what is served until so many requests are under way, or until it is clear that no more will come. */
export function together(stage: ClientStage, count: number, then: Script = serveProven): Script {
  const complete = Promise.withResolvers<void>();
  let held = 0;
  let over: Promise<unknown> | undefined;
  return async (request) => {
    if (!isServed(await serveProven(request))) return serveProven(request);
    held += 1;
    if (held >= count) complete.resolve();
    over ??= Promise.race([complete.promise, stage.counterpart.awaitRequest(() => false, TOGETHER_MS)]);
    await over;
    return then(request);
  };
}
