import type { Answer, Script } from '../../harness/counterpart/resource-server/contract.ts';
import { proofsOf, tokenIn } from '../../harness/scenario/client/arrival.ts';
import { serveProven } from '../../harness/scenario/client/answers.ts';
import type { AgentPlan, Journey } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { isHanging, isTaken, servesNext } from './aftermath.ts';
import { brokenAnswers, quotingAnswers, unusualAnswers } from './broken-octets.ts';
import { twice } from './controls.ts';
import { meeting } from './meeting.ts';
import { readableProof } from './readable-proof.ts';
import { secretsIn, secretsOfConnection, secretsOfProof } from './secrets.ts';
import { answering, isProven } from './upstream.ts';

/** draft -06 Appendix B.2, B.6.1; RFC 9112 §6.3, §8, RFC 9113 §5.4: responses that are none, break off, stall or come slowly. */

const NOT_ENDED =
  'What goes wrong with a response is not brought to an end. Give every exchange a bound, end its connection to the server, and answer the agent with 502 or 504; where the response has begun already, break off the agent’s connection.';
const TAKEN =
  'What is no complete HTTP response is handed to the agent as one. Answer 502 where nothing of it has gone out yet; where the response has begun already, break off the agent’s connection.';
const HELD_UP =
  'A response that stalls holds up other requests. Give each request of the agent’s a connection or a stream of its own.';
const KEPT =
  'A connection that broke is used again, or what was made for it is. Drop connection, exporter value and proofs together, and begin anew on the next one.';
const QUOTED =
  'The agent is told in the words of the HTTP library what could not be read, and these quote what the server sent. Say in fixed words what went wrong.';
const IMPATIENT =
  'A response that is right is given up because it comes slowly or after interim ones. Bound the time between octets rather than that of the head, and pass over interim responses (RFC 9110 §15.2).';

/** A client that hangs does so with each of them. */
const TIME_LIMIT_MS = 90_000;
const STALL_MS = 1000;
const BODY = '{"served":"slowly"}\n';

/** A request that meets with this; once more where nothing came in time, since it may be the machine that was slow. */
async function asked(stage: ClientStage, what: string, answer: Answer, plan: AgentPlan): Promise<Journey> {
  const ask = (): Promise<Journey> => {
    stage.answerWith(answering(answer));
    return stage.journey(what, plan, 'variant', 'an error');
  };
  const first = await ask();
  return isHanging(first.outcome) ? ask() : first;
}

/** Judged: the exchange ended, and in no good order. */
function ended(stage: ClientStage, what: string, outcome: Outcome): void {
  stage.holds(
    !isHanging(outcome),
    `${what}: the agent has neither a response nor the end of its connection (${outcomeText(outcome)})`,
    NOT_ENDED,
  );
  stage.holds(
    !isTaken(outcome),
    `${what}: the agent got ${outcomeText(outcome)}, as if that were a whole response`,
    TAKEN,
  );
}

export const brokenResponses = clientSuite('client-broken-responses', [
  {
    id: 'CL-SC-14',
    title: 'ends an exchange whose response is none, takes nothing of it for a response, and serves the next',
    across: { http: AXES.http },
    timeLimitMs: TIME_LIMIT_MS,
    async run(stage) {
      const { token } = await twice(stage, [], 'a request before');
      for (const answer of brokenAnswers(stage.permutation.http)) {
        const what = `a request that is answered with ${answer.what}`;
        const { outcome, arrivals } = await asked(stage, what, answer, { token, once: true });
        // One that is sent again is served then, and the agent may be: that is for the others.
        if (arrivals.filter(isProven).length <= 1) ended(stage, what, outcome);
        if (isHanging(outcome)) return;
        await servesNext(stage, what, { token });
      }
    },
  },
  {
    id: 'CL-SC-14.stall',
    title: 'lets a response that stalls hold up its own request only, and does not take it for whole',
    across: { http: AXES.http },
    async run(stage) {
      const { token } = await twice(stage, [], 'a request before');
      stage.answerWith(answering({ kind: 'cut', status: 200, how: 'end', stallMs: STALL_MS }));
      const before = stage.counterpart.requests.length;
      const what = 'a request whose response stalls and then ends';
      const stalling = stage.journey(what, { token, once: true }, 'variant', 'an error');
      await stage.counterpart.awaitRequest(
        ({ id, answer }) => id > before && answer?.kind === 'cut',
        stage.setting.patienceMs,
      );
      const other = stage.mint();
      let isOver = false;
      void stalling.then(() => (isOver = true));
      const meanwhile = await stage.journey(
        'another request meanwhile',
        { token: other },
        'variant',
        'served',
      );
      if (isOver) stage.note('the other request was served after the one that stalled');
      stage.holds(
        isTaken(meanwhile.outcome),
        `while a response stalls, the agent got ${outcomeText(meanwhile.outcome)} for another request`,
        HELD_UP,
      );
      const { outcome, arrivals } = await stalling;
      if (arrivals.filter(isProven).length <= 1) ended(stage, what, outcome);
      await servesNext(stage, what, { token });
    },
  },
  {
    id: 'CL-SC-14.slow',
    title: 'waits for a response that comes slowly, or after interim ones',
    across: { http: AXES.http },
    cause: IMPATIENT,
    async run(stage) {
      const { token } = await twice(stage, [], 'a request before');
      for (const answer of unusualAnswers(stage.permutation.http, BODY)) {
        stage.answerWith(answering(answer));
        const what = `a request that is answered with ${answer.what}`;
        const { outcome } = await stage.journey(what, { token, once: true }, 'variant', 'served');
        const isWhole = outcome.type === 'response' && outcome.body.toString() === BODY;
        stage.holds(
          isTaken(outcome) && isWhole,
          `${what}: the agent got ${outcomeText(outcome)}${isTaken(outcome) ? ' with another body' : ''}`,
        );
        await servesNext(stage, what, { token });
      }
    },
  },
  {
    id: 'CL-SC-3.broken-response',
    title: 'makes new proofs on a new connection after one that broke',
    across: { http: AXES.http },
    timeLimitMs: TIME_LIMIT_MS,
    cause: KEPT,
    run: (stage) =>
      meeting(
        stage,
        brokenAnswers(stage.permutation.http).map((answer) => [
          `it was answered with ${answer.what}`,
          [answer],
        ]),
      ),
  },
  {
    id: 'CL-FLD-4.quoted',
    title: 'shows its agent no proof that the server quotes in what is no response',
    across: { http: AXES.http },
    timeLimitMs: TIME_LIMIT_MS,
    cause: QUOTED,
    async run(stage) {
      // A proof that cannot be read could not be recognized in what the agent is shown.
      const { token } = await readableProof(stage);
      const { http } = stage.permutation;
      for (const [index, { what: how }] of quotingAnswers(http, '').entries()) {
        const quoting: Script = (request) => {
          const quoted = `${proofsOf(request)[0] ?? ''} ${tokenIn(request) ?? ''}`;
          return quotingAnswers(http, quoted)[index] ?? serveProven(request);
        };
        let asked = false;
        stage.answerWith((request) => {
          if (asked || proofsOf(request).length === 0) return serveProven(request);
          asked = true;
          return quoting(request);
        });
        const what = `a request that is answered with ${how}`;
        const { outcome } = await stage.journey(
          what,
          { token, once: true },
          'variant',
          'an error without it',
        );
        const shown = shownIn(outcome);
        const secrets = [
          ...stage.arrivals().flatMap(({ proofs }) => proofs.flatMap(secretsOfProof)),
          ...stage.connections.flatMap(secretsOfConnection),
        ];
        const found = secretsIn(shown, secrets);
        stage.holds(found.length === 0, `${what}: the agent was shown ${found.join(', ')}`);
        const logged = secretsIn(stage.log().join('\n'), secrets);
        if (logged.length > 0) stage.observe(`${what}: the log shows ${logged.join(', ')}`);
        if (token !== null && shown.includes(token.compact))
          stage.note(`${what}: the agent was shown its token`);
      }
    },
  },
]);

/** What the agent can read. */
function shownIn(outcome: Outcome): string {
  if (outcome.type !== 'response') return outcome.detail;
  return [...outcome.fields.map((field) => field.join(': ')), outcome.body.toString('latin1')].join('\n');
}
