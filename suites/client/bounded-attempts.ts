import type { Answer, HandshakeRefusal } from '../../harness/counterpart/resource-server/contract.ts';
import { serveProven, status } from '../../harness/scenario/client/answers.ts';
import { proofsOf, tokenIn } from '../../harness/scenario/client/arrival.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { isHanging, servesNext } from './aftermath.ts';
import { brokenAnswers } from './broken-octets.ts';
import { endAll } from './upstream.ts';

/** draft -06 §3.5, Appendix B.6.1; RFC 9110 §9.2.2, §10.1.1: whatever the server does, a request comes to an end. */

const ENDLESS =
  'Each failed attempt leads to another, without a limit. Repeat a request of an idempotent method once, perhaps a few times, and count attempts across connections and across every layer that retries; then answer the agent with an error.';
const STILL_CONNECTING =
  'A request waits for a connection that cannot be opened, and nothing bounds the wait or the number of handshakes. When a handshake fails, or a few of them, answer the requests that wait for it with an error.';
const AWAITS_CONTINUE =
  'The body is held back until the server sends 100 (Continue), which it need not do. Send the body after a second or so without it, or remove the expectation from the request (RFC 9110 §10.1.1).';

/** More than any bound that makes sense, redirections included: a client that gets here goes on for ever (AMB-69). */
const MOST_ATTEMPTS = 60;
/** Longer than the usual bounds on a response, one minute among them (AMB-69). Who ends sooner is not waited for. */
const LONGEST_MS = 75_000;
const TIME_LIMIT_MS = 120_000;

const BODY = Buffer.from('{"amount":1}\n');
/** Too long for some clients to send it without asking first. */
const LARGE = Buffer.alloc(1_500_000, 'tsbt');

type Row = readonly [what: string, answer: Answer, plan?: AgentPlan];

const PUT: AgentPlan = { method: 'PUT', body: BODY };
const AGAIN_AT_ONCE = [['Retry-After', '0']] as const;

function headBreaksOff(): Answer {
  const found = brokenAnswers('http/1.1').find(({ what }) => what === 'a head that breaks off');
  return found ?? { kind: 'end' };
}

/** The ends of connections, each met by a request of another method. */
const ENDINGS: readonly Row[] = [
  ['whose connection ends before any octet of a response', { kind: 'end' }],
  ['whose connection is reset', { kind: 'reset' }, PUT],
];

const HTTP1_ENDINGS: readonly Row[] = [
  ['whose connection ends in the middle of the head', headBreaksOff(), { method: 'OPTIONS' }],
];

/** Each takes another connection, so that they are for the full profile. */
const FURTHER_ENDINGS: readonly Row[] = [
  ['whose connection ends in mid-response', { kind: 'cut', status: 200, how: 'end' }, { method: 'DELETE' }],
  ['that is answered 408 as its connection ends', { ...status(408), closes: true } as Answer],
];

/** What says, or seems to say, that the same request may be tried again. */
const INVITATIONS: readonly Row[] = [
  ['that is answered 503 with Retry-After: 0', status(503, AGAIN_AT_ONCE)],
  ['that is answered 429 with Retry-After: 0', status(429, AGAIN_AT_ONCE)],
  ['that is answered 421', status(421)],
  ['that is redirected to itself', status(307, [['Location', '/resource']])],
];

/** Nothing of these was processed, so that a POST may be repeated too (RFC 9113 §8.7). */
const UNPROCESSED: readonly Row[] = [
  ['whose stream is refused', { kind: 'refuse-stream' }],
  ['whose stream is refused', { kind: 'refuse-stream' }, { method: 'POST', body: BODY }],
  ['whose stream is left out by GOAWAY', { kind: 'go-away' }],
];

const REFUSALS: readonly (readonly [what: string, how: HandshakeRefusal])[] = [
  ['is refused with an alert', 'alert'],
  ['ends with a reset', 'reset'],
  ['ends with its TCP connection', 'end'],
];

/** Judged: it came to an end, and not by the suite's giving in. @returns whether the client may be asked more */
function released(
  stage: ClientStage,
  what: string,
  outcome: Outcome,
  attempts: number,
  cause: string,
): boolean {
  const isEndless = attempts > MOST_ATTEMPTS;
  stage.holds(
    !isEndless,
    `${what}: more than ${MOST_ATTEMPTS} attempts at one request of the agent’s`,
    cause,
  );
  const isStuck = !isEndless && isHanging(outcome);
  stage.holds(
    !isStuck,
    `${what}: after ${LONGEST_MS / 1000} seconds the agent has neither a response nor an error`,
    cause,
  );
  return !isEndless && !isStuck;
}

/** Each attempt at a request meets with the same, until there is no doubt that they never end. */
async function again(stage: ClientStage, rows: readonly Row[]): Promise<void> {
  const { token } = await stage.control();
  for (const [how, answer, plan = {}] of rows) {
    let attempts = 0;
    stage.answerWith((request) => {
      if (tokenIn(request) !== token?.compact || proofsOf(request).length === 0) return serveProven(request);
      attempts += 1;
      return attempts > MOST_ATTEMPTS ? serveProven(request) : answer;
    });
    const what = `${plan.method ?? 'GET'} ${how}, again and again`;
    const sent = { ...plan, token, once: true, patienceMs: LONGEST_MS };
    const { outcome } = await stage.journey(what, sent, 'variant', 'an error after a few attempts');
    if (!released(stage, what, outcome, attempts, ENDLESS)) return;
    stage.note(`${what}: the agent got ${outcomeText(outcome)}, with ${attempts} sent in all`);
    await servesNext(stage, what, { token });
  }
}

export const boundedAttempts = clientSuite('client-bounded-attempts', [
  {
    id: 'CL-RETRY-6',
    title: 'gives up a request whose connection ends at each attempt, and answers its agent with an error',
    across: { http: AXES.http },
    waits: true,
    timeLimitMs: TIME_LIMIT_MS,
    cause: ENDLESS,
    async run(stage) {
      const usual = stage.permutation.http === 'h2' ? ENDINGS : [...ENDINGS, ...HTTP1_ENDINGS];
      const endings = stage.full ? [...usual, ...FURTHER_ENDINGS] : usual;
      const others: readonly AgentPlan[] = stage.full ? [{}, { method: 'HEAD' }, PUT] : [];
      const further = endings.flatMap(([what, answer]) => others.map((plan): Row => [what, answer, plan]));
      await again(stage, [...endings, ...INVITATIONS, ...further]);
    },
  },
  {
    id: 'CL-RETRY-6.unprocessed',
    title: 'gives up a request that the server leaves unprocessed at each attempt',
    across: { tls: AXES.tls, http: ['h2'] },
    waits: true,
    timeLimitMs: TIME_LIMIT_MS,
    cause: ENDLESS,
    run: (stage) => again(stage, UNPROCESSED),
  },
  {
    id: 'CL-RETRY-6.handshake',
    title: 'answers its agent with an error when no connection to the server can be opened',
    across: { tls: AXES.tls, http: AXES.http },
    waits: true,
    timeLimitMs: TIME_LIMIT_MS,
    cause: STILL_CONNECTING,
    async run(stage) {
      const { token } = await stage.control();
      for (const [how, refusal] of stage.full ? REFUSALS : REFUSALS.slice(0, 2)) {
        let attempts = 0;
        stage.meet({ refusesHandshake: () => (attempts++ < MOST_ATTEMPTS ? refusal : undefined) });
        await endAll(stage);
        const what = `a request for which each handshake ${how}`;
        const sent = { token, once: true, patienceMs: LONGEST_MS };
        const { outcome } = await stage.journey(what, sent, 'variant', 'an error');
        const made = attempts;
        stage.meet({});
        if (!released(stage, what, outcome, made, STILL_CONNECTING)) return;
        stage.note(`${what}: the agent got ${outcomeText(outcome)}, with ${made} begun in all`);
        await servesNext(stage, what, { token });
      }
      await stage.counterpart.refuseConnections(true);
      await endAll(stage);
      const what = 'a request while the server does not accept connections';
      const sent = { token, once: true, patienceMs: LONGEST_MS };
      const { outcome } = await stage.journey(what, sent, 'variant', 'an error');
      await stage.counterpart.refuseConnections(false);
      if (released(stage, what, outcome, 0, STILL_CONNECTING)) await servesNext(stage, what, { token });
    },
  },
  {
    id: 'CL-RETRY-6.continue',
    title: 'does not wait for a 100 (Continue) that never comes',
    across: { http: AXES.http },
    waits: true,
    timeLimitMs: TIME_LIMIT_MS,
    cause: AWAITS_CONTINUE,
    async run(stage) {
      const { token } = await stage.control();
      stage.meet({ continues: false });
      await endAll(stage);
      const expecting: AgentPlan = { method: 'POST', body: BODY, fields: [['Expect', '100-continue']] };
      const large: AgentPlan = { method: 'POST', body: LARGE };
      for (const [name, plan] of [
        ['a POST with Expect: 100-continue', expecting],
        ...(stage.full ? ([['a POST of 1.5 MB', large]] as const) : []),
      ] as const) {
        const what = `${name}, of a server that never sends 100`;
        const sent = { ...plan, token, once: true, patienceMs: LONGEST_MS };
        const { outcome, arrivals } = await stage.journey(what, sent, 'variant', 'served, or an error');
        const expected = arrivals.some(({ request }) =>
          request.fields.some(([field]) => field.toLowerCase() === 'expect'),
        );
        stage.note(`${what}: it arrived ${expected ? 'with' : 'without'} the expectation`);
        const isStuck = isHanging(outcome);
        stage.holds(
          !isStuck,
          `${what}: after ${LONGEST_MS / 1000} seconds the agent has neither a response nor an error`,
        );
        if (isStuck) return;
        await servesNext(stage, what, { token });
      }
    },
  },
]);
