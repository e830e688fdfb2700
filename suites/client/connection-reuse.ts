import type { UpstreamConnection } from '../../harness/counterpart/resource-server/contract.ts';
import { tokenIn } from '../../harness/scenario/client/arrival.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Token } from '../../harness/forge/token.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { isTaken } from './aftermath.ts';
import {
  FURTHER_UPLOADS,
  LEAVING,
  ODD_OCTETS,
  ownContent,
  PLANTED,
  servingOwn,
  UPLOAD,
  UPLOADS,
} from './incidents.ts';
import type { Aftermath, Incident } from './incidents.ts';

/** draft -06 Appendix B.3, B.6.1; RFC 9112 §9.2, §9.3: in which state a connection may carry the next request. */

const UNTIDY =
  'A connection goes back to the pool before the exchange on it is complete on both sides. Put it back only when the whole request is sent, the whole response is read and nothing has come beyond it; close it otherwise.';
const CUT_SHORT =
  'An upload that its agent broke off is ended as if it were whole, with the last chunk or with the end of the stream. Pass the break on: close the connection to the server (HTTP/2: reset the stream).';

/** Requests of other agents that follow: one may find its connection dead, and more than one connection may be idle. */
const FOLLOWING = 3;
/** So long the rest of a response is held back for another request, which may be waiting for its end, in milliseconds. */
const HELD_MS = 1000;

/** What is wrong with what came of an incident, and with which mistake it fits. */
type Fault = readonly [what: string, cause: string];

/** Another agent asks. @returns what it got that is not for it */
async function others(
  stage: ClientStage,
  { what, isLast = false }: Incident,
  { connection, goOn }: Aftermath,
): Promise<string | undefined> {
  let foreign: string | undefined;
  const known = stage.counterpart.requests.length;
  void stage.counterpart.awaitRequest(({ id }) => id > known, HELD_MS).then(goOn);
  stage.answerWith((request) =>
    isLast && request.connection === connection ? { kind: 'reset' } : servingOwn(request),
  );
  for (let i = 1; i <= FOLLOWING && foreign === undefined; i++) {
    const token = stage.mint();
    const about = `another agent's request after ${what}`;
    const { outcome } = await stage.journey(about, { token, once: true }, 'variant', 'its own content');
    foreign = foreignIn(outcome, ownContent(token));
    if (!isTaken(outcome)) stage.note(`${about}: ${outcomeText(outcome)}`);
  }
  return foreign;
}

function foreignIn(outcome: Outcome, own: string): string | undefined {
  if (!isTaken(outcome) || outcome.type !== 'response') return undefined;
  const content = outcome.body.toString('latin1');
  return content === own ? undefined : JSON.stringify(content.slice(0, 80));
}

/** What arrived of an upload: more than is its own, or a part of it that passes for the whole. */
function faultOfUpload(stage: ClientStage, token: Token, { cause }: Incident): Fault | undefined {
  for (const { request } of stage.arrivals()) {
    if (request.method !== UPLOAD.method || tokenIn(request) !== token.compact) continue;
    const { body, complete } = request;
    if (!UPLOAD.whole.subarray(0, body.length).equals(body))
      return ['octets of another request arrived as a part of the upload', cause];
    if (complete && body.length < UPLOAD.whole.length)
      return [`the first ${body.length} octets of the upload arrived as if they were the whole`, CUT_SHORT];
  }
  return undefined;
}

/** Whether another request went out on the connection of an incident, where it could be no request any more. */
function faultOfConnection(
  { cause, isLast = false }: Incident,
  { id, requests, ending }: UpstreamConnection,
  before: number,
): Fault | undefined {
  if (isLast && requests.length > before) return [`another request went out on ${id}`, cause];
  if (ending?.includes('is not HTTP/1.1') !== true) return undefined;
  return [`another request went out on ${id}, in the midst of the upload: ${ending}`, cause];
}

/** Judged: after each of these, other agents get what is theirs, and their requests are requests of their own. */
async function judge(stage: ClientStage, incidents: readonly Incident[]): Promise<void> {
  await stage.control([], 'a request before');
  let isTried = false;
  for (const incident of incidents) {
    const token = stage.mint();
    stage.answerWith(servingOwn);
    await stage.journey('a request on a connection as it should be');
    const aftermath = await incident.bringAbout(stage, token);
    if (aftermath === undefined) {
      // One that reads requests whole does so with each of them.
      if (!isTried) stage.notApplicable('the client reads each request whole before it sends any of it');
      stage.note(`after ${incident.what}: the client does not let it come to that`);
      continue;
    }
    isTried = true;
    const { connection, own } = aftermath;
    const { length } = connection.requests;
    const foreign = await others(stage, incident, aftermath);
    aftermath.goOn?.();
    const planted = own?.type === 'response' && isTaken(own) && own.body.includes(PLANTED);
    const fault =
      faultOfUpload(stage, token, incident) ??
      faultOfConnection(incident, connection, length) ??
      (planted ? (['the agent itself got what is no response', incident.cause] as const) : undefined) ??
      (foreign === undefined
        ? undefined
        : ([`another agent got what was not for it, ${foreign}`, incident.cause] as const));
    if (fault !== undefined) stage.holds(false, `after ${incident.what} ${fault[0]}`, fault[1]);
    // The next incident begins with a connection that this one has left alone.
    stage.counterpart.answerEarly(() => undefined);
    connection.reset();
  }
}

export const connectionReuse = clientSuite('client-connection-reuse', [
  {
    id: 'CL-SC-15',
    title: 'gives no agent anything of a response that another agent did not wait for',
    across: { http: AXES.http },
    waits: true,
    cause: UNTIDY,
    run: (stage) => judge(stage, LEAVING),
  },
  {
    id: 'CL-SC-15.upload',
    title: 'makes no request a part of an upload that was not sent in full',
    across: { http: AXES.http },
    waits: true,
    timeLimitMs: 120_000,
    cause: UNTIDY,
    run: (stage) => judge(stage, stage.full ? [...UPLOADS, ...FURTHER_UPLOADS] : UPLOADS),
  },
  {
    id: 'CL-SC-15.octets',
    title: 'takes nothing that follows a response for the response to the next request',
    across: { http: ['http/1.1'] },
    waits: true,
    cause: UNTIDY,
    run: (stage) => judge(stage, ODD_OCTETS),
  },
]);
