import { serveProven } from '../../harness/scenario/client/answers.ts';
import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import type { TransportPlan } from '../../harness/counterpart/resource-server/contract.ts';
import type { Token } from '../../harness/forge/token.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { allSound, endAll, isProven, pairUp, returns, together } from './upstream.ts';

/** draft -06 §2.1, §2.2: connections that stand at the same time and have one TLS session between them. */

const READ_FROM_SESSION =
  'The exporter value is read from the TLS session object, which connections that resume the session share, so that the newest handshake decides for all of them (JSSE keeps the random values of TLS 1.2 there). Export right after the handshake and keep the value with the connection; where a younger handshake can come in between, do not resume TLS 1.2 sessions.';

const ASPECTS = ['ekm'] as const;

/** Whether its proof was made, not kept, after a younger connection had resumed a session. */
function isMadeOnOlder(stage: ClientStage, arrival: Arrival): boolean {
  if (!isProven(arrival) || arrival.proofSeenBefore) return false;
  const { connection, id } = arrival.request;
  const youngest = stage.connections.slice(stage.connections.indexOf(connection) + 1);
  return youngest.some(
    ({ facts, requests: [first] }) => facts.resumed && first !== undefined && first.id < id,
  );
}

/** Requests that are under way at the same time, so that each needs a connection, or a stream, of its own. */
async function sideBySide(
  stage: ClientStage,
  what: string,
  tokens: readonly (Token | null)[],
): Promise<readonly Arrival[]> {
  stage.answerWith(together(stage, tokens.length));
  const journeys = await Promise.all(
    tokens.map((token) => stage.journey(what, { token }, 'variant', 'a right proof, or none')),
  );
  stage.answerWith(serveProven);
  return journeys.flatMap(({ arrivals }) => arrivals);
}

/** Two new tokens at a time, then the last two once more: a client may have connections for each token. */
async function proveOnAll(stage: ClientStage, control: Arrival, after: string): Promise<void> {
  let tokens: readonly Token[] = [];
  const wave = async (what: string): Promise<void> => {
    const made = (await sideBySide(stage, what, tokens)).filter((arrival) => isMadeOnOlder(stage, arrival));
    const shown = made.find(({ defects }) => defects.length > 0) ?? made[0];
    if (shown !== undefined) pairUp(stage, ASPECTS, control, shown, what);
  };
  for (let count = stage.full ? 4 : 3; count > 0; count--) {
    tokens = [stage.mint(), stage.mint()];
    await wave(`one of two at once with new tokens, ${after}`);
  }
  await wave(`one of the last two tokens again, ${after}`);
}

/** Judged: each proof fits its connection, whatever session a younger one has resumed. */
async function judgeOlder(
  stage: ClientStage,
  kinds: readonly NonNullable<TransportPlan['resumption']>[],
): Promise<void> {
  const { arrival: control } = await stage.control(['form', 'ekm'], 'the first request');
  const untried: string[] = [];
  for (const resumption of kinds) {
    const before = stage.arrivals().length;
    // One stream at a time: a client that has two requests for HTTP/2 opens another connection, or waits.
    stage.meet({ resumption, maxConcurrentStreams: 1 });
    await endAll(stage);
    await returns(stage, ASPECTS, control, `on a connection whose session can be resumed (${resumption})`);
    await proveOnAll(stage, control, `the first of which stays on that connection (${resumption})`);
    await endAll(stage);
    await sideBySide(stage, `one of two at once without a token (${resumption})`, [null, null]);
    await proveOnAll(stage, control, `on connections without a proof so far (${resumption})`);
    const later = stage.arrivals().slice(before);
    if (!later.some((arrival) => isMadeOnOlder(stage, arrival))) untried.push(resumption);
  }
  allSound(stage, ASPECTS, undefined, (arrival) => isMadeOnOlder(stage, arrival));
  if (untried.length < kinds.length) {
    for (const kind of untried)
      stage.note(`${kind}: no proof was made on a connection after a younger one had resumed a session`);
    return;
  }
  stage.notApplicable(
    stage.connections.some(({ facts }) => facts.resumed)
      ? 'the client makes no new proof on a connection after a younger one has resumed a TLS session'
      : 'the client resumes no TLS session',
  );
}

export const sharedSessions = clientSuite('client-shared-sessions', [
  {
    id: 'CL-EKM-4.older',
    title:
      'makes proofs with the value of their own connection, also after a younger one has resumed its TLS 1.2 session',
    across: { tls: ['TLSv1.2'], http: AXES.http },
    cause: READ_FROM_SESSION,
    run: (stage) => judgeOlder(stage, ['tickets', 'session-ids']),
  },
  {
    id: 'CL-EKM-4.older-psk',
    title:
      'makes proofs with the value of their own connection, also after a younger one has resumed its TLS 1.3 session',
    across: { tls: ['TLSv1.3'], http: AXES.http },
    cause: READ_FROM_SESSION,
    run: (stage) => judgeOlder(stage, ['tickets']),
  },
]);
