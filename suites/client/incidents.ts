import type {
  Answer,
  UpstreamConnection,
  UpstreamRequest,
} from '../../harness/counterpart/resource-server/contract.ts';
import { served, serveProven } from '../../harness/scenario/client/answers.ts';
import { proofsOf, tokenIn } from '../../harness/scenario/client/arrival.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import type { Token } from '../../harness/forge/token.ts';
import type { Outcome } from '../../harness/wire/connection.ts';

/** What leaves a connection in a state in which it must not carry another request: RFC 9112 §6.3, §9.2, §9.3; RFC 9110 §7.8. */

const ABANDONED =
  'A connection goes back to the pool although its response has not been read to the end, because the agent had gone, and the next request on it reads what is left. When an exchange is given up, close its connection (HTTP/2: reset the stream), or read the response to its end before the connection is used again.';
const UNSENT =
  'A connection is used again although the body of the request before was not sent in full, so that the next request becomes a part of that body. When a final response comes first, or the agent breaks off, close the connection (HTTP/2: reset the stream).';
const BEYOND =
  'Octets that come after the end of a response are kept, and read as the response to the next request. Close a connection on which anything comes that no request is waiting for (RFC 9112 §9.2).';
const SWITCHED =
  'A connection whose server has switched protocols is used for HTTP again. After a 101 it is no connection for requests any more: close it, and answer an agent that did not ask for the switch with an error.';
const REFUSAL_LEFT =
  'A request is repeated after 401 before the body of the 401 has been read, on the same connection, and what is left of that body is read as the response. Read it to the end first, or use another connection.';

/** How an incident went. */
export interface Aftermath {
  /** The connection on which it happened. */
  readonly connection: UpstreamConnection;
  /** What the agent in question got, where it waited for it. */
  readonly own?: Outcome;
  /** Lets the server go on, where it holds back the rest of a response. */
  readonly goOn?: () => void;
}

/** Something that happens to one agent's request. */
export interface Incident {
  /** In words that read on after "after". */
  readonly what: string;
  readonly cause: string;
  /** True where the server takes nothing on that connection any more. */
  readonly isLast?: boolean;
  /** Brings it about with this token. @returns `undefined` where the client does not let it come to that */
  bringAbout(stage: ClientStage, token: Token): Promise<Aftermath | undefined>;
}

/** The content of a response, by which it is known for whom it is. */
export function contentFor(who: string): string {
  return `{"for":"${who}"}\n`;
}

/** Meant for no agent, wherever it comes from. */
export const PLANTED = contentFor('nobody');

function responseOf(content: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${content.length}\r\n\r\n${content}`;
}

/** Who it is for, as {@link servingOwn} says it. */
export function ownContent({ compact }: Token): string {
  return contentFor(compact.slice(-16));
}

/** Serves everybody with content that says whose token it was served for. */
export function servingOwn(request: UpstreamRequest): Answer | Promise<Answer> {
  const token = tokenIn(request);
  if (token === null || proofsOf(request).length === 0) return serveProven(request);
  return served([], contentFor(token.slice(-16)));
}

function isOf({ compact }: Token): (request: UpstreamRequest) => boolean {
  return (request) => tokenIn(request) === compact && proofsOf(request).length > 0;
}

/** Serves everybody with their own content, but the first request with this token as told. */
function servingOthers(stage: ClientStage, token: Token, answer: () => Answer | Promise<Answer>): void {
  let isMet = false;
  stage.answerWith((request) => {
    if (isMet || !isOf(token)(request)) return servingOwn(request);
    isMet = true;
    return answer();
  });
}

/** How long a part of an upload may take to arrive, and its response to come back: some clients wait for the whole. */
function waitMs(stage: ClientStage): number {
  return Math.min(stage.setting.patienceMs / 2, 10_000);
}

/** Lets the client notice: the end of the connection shows that it has, and one that keeps it gets some time. */
async function noticed(stage: ClientStage, connection: UpstreamConnection | undefined): Promise<void> {
  await connection?.awaitEnd(Math.min(stage.setting.patienceMs / 10, 1000));
}

/** An agent goes away once this much of its request is there. */
async function abandon(
  stage: ClientStage,
  token: Token,
  plan: AgentPlan,
  isThere: (request: UpstreamRequest) => boolean,
): Promise<UpstreamConnection | undefined> {
  const leaving = new AbortController();
  const sent = { ...plan, token, once: true, signal: leaving.signal };
  const journey = stage.journey('a request whose agent goes away', sent, 'request', 'given up');
  const arrived = await stage.counterpart.awaitRequest(
    (request) => isOf(token)(request) && isThere(request),
    waitMs(stage),
  );
  leaving.abort();
  await journey;
  await noticed(stage, arrived?.connection);
  return arrived?.connection;
}

const GONE = contentFor('who has gone');

/** Of which the rest comes when the next agent's request is under way. */
const BEFORE_RESPONSE: Incident = {
  what: 'an agent went away before its response came',
  cause: ABANDONED,
  async bringAbout(stage, token) {
    const { promise, resolve: goOn } = Promise.withResolvers<void>();
    servingOthers(stage, token, () => promise.then(() => served([], GONE)));
    const connection = await abandon(stage, token, {}, () => true);
    if (connection === undefined) goOn();
    return connection && { connection, goOn };
  },
};

const MID_RESPONSE: Incident = {
  what: 'an agent went away in mid-response',
  cause: ABANDONED,
  async bringAbout(stage, token) {
    const { promise: until, resolve: goOn } = Promise.withResolvers<void>();
    const first = 'the beginning of a long content\n';
    // Who reads on from the middle finds a whole response there.
    const body = `${first}${responseOf(GONE)}`;
    const answer: Answer = { kind: 'held', status: 200, fields: [], body, first: first.length, until };
    servingOthers(stage, token, () => answer);
    const connection = await abandon(stage, token, {}, (request) => request.answer?.kind === 'held');
    if (connection === undefined) goOn();
    return connection && { connection, goOn };
  },
};

/** What an agent uploads, as far as it gets. */
const FIRST = Buffer.from('{"amount":');
const REST = Buffer.from('1}\n');
export const UPLOAD = { method: 'POST', first: FIRST, whole: Buffer.concat([FIRST, REST]) } as const;

function framing(isChunked: boolean): string {
  return isChunked ? 'in chunks' : 'with a length';
}

/** A final response comes before the body is there. */
function answeredEarly(isChunked: boolean, status: number): Incident {
  return {
    what: `a ${status} came before the end of an upload ${framing(isChunked)}`,
    cause: UNSENT,
    async bringAbout(stage, token) {
      const { promise: rest, resolve: finish } = Promise.withResolvers<Uint8Array>();
      const body = { first: FIRST, rest, ...(!isChunked && { length: UPLOAD.whole.length }) };
      const isUpload = (request: UpstreamRequest): boolean =>
        request.method === 'POST' && isOf(token)(request);
      let connection: UpstreamConnection | undefined;
      stage.answerWith(servingOwn);
      stage.counterpart.answerEarly((request) => {
        if (connection !== undefined || !isUpload(request)) return undefined;
        ({ connection } = request);
        const fields = [['Content-Type', 'application/json']] as const;
        return { kind: 'response', status, fields, body: ownContent(token) };
      });
      // Some clients hold the response back until the upload is over: then the agent gives up.
      const sent = { method: 'POST', body, token, once: true, patienceMs: waitMs(stage) };
      const sending = stage.journey('an upload', sent, 'request', 'answered before its end');
      await stage.counterpart.awaitRequest(isUpload, waitMs(stage));
      // Who reads a request whole before any of it is sent has to get the rest.
      if (connection === undefined) finish(REST);
      await sending;
      await noticed(stage, connection);
      return connection && { connection };
    },
  };
}

function brokenOff(isChunked: boolean): Incident {
  return {
    what: `an agent broke off an upload ${framing(isChunked)}`,
    cause: UNSENT,
    async bringAbout(stage, token) {
      stage.answerWith(servingOwn);
      const never = new Promise<Uint8Array>(() => {});
      const body = { first: FIRST, rest: never, ...(!isChunked && { length: 1000 }) };
      const plan: AgentPlan = { method: 'POST', body };
      const connection = await abandon(stage, token, plan, (request) => request.body.length > 0);
      return connection && { connection };
    },
  };
}

/** A request that meets with an unusual response, and is waited for. */
function meeting(what: string, cause: string, answer: () => Answer, isLast = false): Incident {
  return {
    what,
    cause,
    isLast,
    async bringAbout(stage, token) {
      let connection: UpstreamConnection | undefined;
      servingOthers(stage, token, answer);
      const journey = await stage.journey(
        'a request of one agent',
        { token, once: true },
        'request',
        'answered',
      );
      for (const { request } of journey.arrivals) connection ??= request.connection;
      return connection && { connection, own: journey.outcome };
    },
  };
}

const MORE_OCTETS = meeting('a response with octets beyond its length', BEYOND, () => {
  const content = contentFor('the first');
  return served([['Content-Length', String(content.length)]], `${content}${responseOf(PLANTED)}`);
});

const SWITCHING = meeting(
  'a 101 (Switching Protocols) that nobody had asked for',
  SWITCHED,
  () => ({
    kind: 'octets',
    what: '101 (Switching Protocols)',
    pieces: () => [
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tsbt\r\n\r\n'),
    ],
    stays: true,
  }),
  true,
);

const LONG_REFUSAL = meeting('a long 401', REFUSAL_LEFT, () => ({
  kind: 'response',
  status: 401,
  fields: [['WWW-Authenticate', 'Bearer error="invalid_proof"']],
  body: `${responseOf(PLANTED)}${' '.repeat(200_000)}`,
}));

export const LEAVING: readonly Incident[] = [BEFORE_RESPONSE, MID_RESPONSE];
export const UPLOADS: readonly Incident[] = [
  answeredEarly(true, 200),
  answeredEarly(false, 413),
  brokenOff(true),
  brokenOff(false),
];
export const FURTHER_UPLOADS: readonly Incident[] = [answeredEarly(false, 200), answeredEarly(true, 401)];
export const ODD_OCTETS: readonly Incident[] = [MORE_OCTETS, SWITCHING, LONG_REFUSAL];
