import { bearerOf } from '../../harness/scenario/client/arrival.ts';
import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import { challenged, serveProven } from '../../harness/scenario/client/answers.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';

/** draft -06 §3.3.2 step 4, §2.4: the fields that carry token and proof. */

const OTHER_FIELDS =
  'Send the token in one Authorization field with the scheme Bearer, and its proof in one Session-Binding-Proof field: set the fields, rather than adding to those that an earlier attempt left.';
const LEFT_OUT =
  'A request with a session-bound token went out without its proof. Add the proof where requests leave, for each request of every connection, method and HTTP version; only the making of it may be left out.';

/** Judges that a request has its token, and at most one proof, in the fields where they belong. */
function inTheirFields(stage: ClientStage, { request, token, proofs }: Arrival): void {
  const what = `${request.method} ${request.target} on ${request.connection.id}`;
  const count = request.fields.filter(([name]) => name.toLowerCase() === 'authorization').length;
  stage.holds(count === 1, `${what} has ${count} Authorization fields`);
  stage.holds(
    count !== 1 || (bearerOf(request) !== null && token !== null),
    `${what} has other credentials in its Authorization field than Bearer with the agent’s token`,
  );
  stage.holds(proofs.length <= 1, `${what} has ${proofs.length} Session-Binding-Proof fields`);
  // To a server the values of several fields are one list (RFC 9110 §5.3).
  stage.holds(!proofs.some((value) => value.includes(',')), `${what} has several proofs in one field`);
}

/** Requests of every kind in which a proof may be forgotten. */
const REQUESTS: Readonly<Record<string, AgentPlan>> = {
  'a HEAD request': { method: 'HEAD' },
  'a POST request with a body': { method: 'POST', body: Buffer.from('order') },
  'a POST request whose body is streamed': {
    method: 'POST',
    body: { first: Buffer.from('or'), rest: Promise.resolve(Buffer.from('der')) },
  },
  'a POST request that expects 100 Continue': {
    method: 'POST',
    body: Buffer.from('order'),
    fields: [['Expect', '100-continue']],
  },
  'a PUT request': { method: 'PUT', body: Buffer.from('order') },
  'a DELETE request': { method: 'DELETE' },
  'a request for another path': { path: '/resource/other?x=1' },
  'a request with a range': { fields: [['Range', 'bytes=0-1']] },
};

/** A client may refuse some kinds of requests, but not most. */
const LEAST_LATER = 12;

export const proofField = clientSuite('client-proof-field', [
  {
    id: 'CL-FLD-1',
    title:
      'sends the token as Authorization: Bearer, and its proof in exactly one Session-Binding-Proof field',
    across: EVERY_TRANSPORT,
    cause: OTHER_FIELDS,
    async run(stage) {
      const first = await stage.proves([], 'a request with a session-bound token');
      let refusals = 1;
      stage.answerWith((request) =>
        refusals-- > 0 ? challenged('use_session_binding') : serveProven(request),
      );
      const token = first?.token ?? stage.mint();
      await stage.journey('a request that is answered with a challenge, and sent again', { token });
      await stage.journey('a request with another token');
      for (const arrival of stage.arrivals()) {
        inTheirFields(stage, arrival);
        const { method, target } = arrival.request;
        const token = bearerOf(arrival.request);
        stage.holds(
          token === null || !target.includes(token),
          `the target of a ${method} request holds the token`,
        );
      }
    },
  },
  {
    id: 'CL-FLD-2',
    title:
      'sends a proof with every request that has a session-bound token, not only the first of a connection',
    across: { http: AXES.http },
    cause: { statement: LEFT_OUT, 'no-proof': LEFT_OUT },
    async run(stage) {
      const token = stage.mint();
      if ((await stage.proves([], 'the first request', { token })) === undefined) return;
      // From here on the client knows this token: it was asked for a proof, or gave one unasked.
      const known = stage.arrivals().length;
      for (let count = 2; count <= 10; count++)
        await stage.journey(`request ${count} with the same token`, { token, once: true });
      for (const [what, plan] of Object.entries(REQUESTS)) {
        const { arrivals } = await stage.journey(what, { ...plan, token, once: true }, 'variant', 'a proof');
        if (arrivals.length === 0) stage.note(`${what} did not reach the resource server`);
      }
      const together = Array.from({ length: 6 }, (_, index) => `request ${index + 1} of six at once`);
      await Promise.all(together.map((what) => stage.journey(what, { token, once: true })));
      const later = stage.arrivals().slice(known);
      for (const { request, proofs } of later)
        stage.holds(
          proofs.length > 0,
          `${request.method} ${request.target} on ${request.connection.id}, request ${request.id}, came without a proof`,
        );
      if (later.length < LEAST_LATER)
        stage.inconclusive(`only ${later.length} requests reached the resource server after the first one`);
    },
  },
]);
