import type { Answer } from '../../harness/counterpart/resource-server/contract.ts';
import { challenged, status } from '../../harness/scenario/client/answers.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { Outcome } from '../../harness/wire/connection.ts';
import { brokenAnswers } from './broken-octets.ts';
import { answering, isProven } from './upstream.ts';

/** draft -06 §3.5, Appendix B.2; RFC 9110 §9.2.2: requests that may have an effect are not repeated blindly. */

const CUT =
  'The request is repeated after its body has been read, so that the second one goes out without it, or the 401 is lost on the way. Keep the whole body before you repeat a request, or hand the 401 to the agent as it is.';
const BLIND =
  'A POST is repeated although nobody knows whether it had an effect. Repeat requests of idempotent methods only (RFC 9110 §9.2.2); leave the others to the agent.';
const BY_ITSELF =
  'A POST is repeated after 401. That the first one had no effect is what a 401 should mean, but a proxy must not repeat a request that is not idempotent by itself (RFC 9110 §9.2.2): hand the 401 to the agent, who knows.';

const FIRST = Buffer.from('{"amount":');
const REST = Buffer.from('1}\n');
const WHOLE = Buffer.concat([FIRST, REST]);

const POSTS: readonly (readonly [what: string, plan: AgentPlan])[] = [
  ['a POST', { method: 'POST', body: WHOLE }],
  ['a POST in chunks', { method: 'POST', body: { first: FIRST, rest: Promise.resolve(REST) } }],
];

const REFUSALS = ['use_session_binding', 'invalid_proof'] as const;

/** What leaves open whether the request had an effect. */
const OPEN_ENDS: readonly (readonly [what: string, answer: Answer])[] = [
  ['whose connection ends without a response', { kind: 'end' }],
  ['whose connection is reset', { kind: 'reset' }],
  ['whose response is cut off', { kind: 'cut', status: 200, how: 'end' }],
  ['whose response stalls and is cut off', { kind: 'cut', status: 200, how: 'reset', stallMs: 200 }],
  ['that is answered 500', status(500)],
  ['that is answered 502', status(502)],
  ['that is answered 503', status(503, [['Retry-After', '0']])],
  ['that is answered 504', status(504)],
];

/** Whether the agent was told that, and why, it was refused. */
function isHandedOver(outcome: Outcome): boolean {
  return (
    outcome.type === 'response' &&
    outcome.status === 401 &&
    outcome.fields.some(
      ([name, value]) => name.toLowerCase() === 'www-authenticate' && value.includes('error='),
    )
  );
}

export const repeatedPosts = clientSuite('client-repeated-posts', [
  {
    id: 'CL-SC-11',
    title: 'hands the 401 for a POST to its agent, or repeats the POST with its whole body',
    across: { http: AXES.http },
    cause: CUT,
    async run(stage) {
      const { token } = await stage.control();
      for (const error of REFUSALS) {
        for (const [post, plan] of POSTS) {
          stage.answerWith(answering(challenged(error)));
          const what = `${post} that is answered 401 ${error}`;
          const sent = { ...plan, token, once: true };
          const { arrivals, outcome } = await stage.journey(
            what,
            sent,
            'variant',
            'the 401, or a whole second',
          );
          for (const { request } of arrivals)
            stage.holds(
              request.body.equals(WHOLE),
              `${what} came with ${request.body.length} octets, and the agent had sent ${WHOLE.length}`,
            );
          const served = outcome.type === 'response' && outcome.status === 200;
          stage.holds(
            served || isHandedOver(outcome),
            `${what}: the agent got ${outcomeText(outcome)}, which does not tell it why`,
          );
        }
      }
    },
  },
  {
    id: 'CL-SC-11.repeated',
    title: 'leaves it to the agent to repeat a POST that came with a proof and was answered 401',
    across: { http: AXES.http },
    // A client library that has kept the body may repeat it: it is the agent, and no proxy.
    capabilities: ['sidecar'],
    cause: BY_ITSELF,
    async run(stage) {
      const { token } = await stage.control();
      for (const error of REFUSALS) {
        for (const [post, plan] of POSTS) {
          stage.answerWith(answering(challenged(error)));
          const what = `${post} that is answered 401 ${error}`;
          const { arrivals } = await stage.journey(what, { ...plan, token, once: true }, 'variant', 'once');
          const times = arrivals.filter(isProven).length;
          stage.holds(times <= 1, `${what} came ${times} times, and the agent had sent it once`);
        }
      }
    },
  },
  {
    id: 'CL-SC-11.effect',
    title: 'does not repeat a POST of which it cannot know whether it had an effect',
    across: { http: AXES.http },
    // A client that hangs does so with many of them.
    timeLimitMs: 90_000,
    cause: BLIND,
    async run(stage) {
      const { token } = await stage.control();
      const broken = brokenAnswers(stage.permutation.http).map(
        (answer) => [`that is answered with ${answer.what}`, answer] as const,
      );
      for (const [end, answer] of [...OPEN_ENDS, ...broken]) {
        stage.answerWith(answering(answer));
        for (const [post, plan] of stage.full ? POSTS : POSTS.slice(0, 1)) {
          const what = `${post} ${end}`;
          const { arrivals } = await stage.journey(what, { ...plan, token, once: true }, 'variant', 'once');
          const times = arrivals.filter(isProven).length;
          stage.holds(times <= 1, `${what} had its effect ${times} times, and the agent had sent it once`);
        }
      }
    },
  },
]);
