import { refused } from '../../harness/scenario/expectation.ts';
import type { Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { bearerOf } from '../../harness/scenario/client/arrival.ts';
import { parametersOf } from '../../harness/scenario/servers-behind.ts';
import { defectsAt, everythingOf } from './behind.ts';

/** draft -06 §4.6: a chain A → B → C. The target is B; the suite plays A, the authorization server, and C. */

const USED_TOO_EARLY =
  'The inbound token is used, here or at the authorization server, although its proof did not hold. Verify the proof of the inbound connection first; only then is the token the caller’s to use.';
const FORWARDED =
  'Something of the inbound hop goes on to the next one. Drop the inbound proof and token, and make a proof for the outbound token on the outbound connection.';

export const chain = suite('intermediary', 'chain', [
  {
    id: 'CL-HOP-1',
    title: 'verifies the inbound proof before it uses the inbound token for anything',
    cause: USED_TOO_EARLY,
    async run(stage) {
      const { tokenEndpoint, upstream } = stage.behind;
      const control = await stage.control();
      const asked = tokenEndpoint.requests.filter(
        (request) => parametersOf(request).get('subject_token') === control.token?.compact,
      );
      if (asked.length === 0)
        stage.notApplicable('it does not exchange the inbound token, so there is no use of it to see');
      for (const variation of unproven(stage)) {
        const before = tokenEndpoint.requests.length + upstream.requests.length;
        await stage.refusesOne(refused('401'), variation, control);
        const used = tokenEndpoint.requests.length + upstream.requests.length - before;
        stage.holds(
          used === 0,
          `${variation.what}: ${used} requests reached the servers behind all the same`,
        );
      }
      await stage.control('the right request again');
    },
  },
  {
    id: 'CL-HOP-2',
    title: 'makes a proof of its own for the next server, and forwards nothing of the inbound one',
    cause: FORWARDED,
    async run(stage) {
      const { upstream } = stage.behind;
      // Twice: what is remembered of the first request must not go out with the second.
      for (const what of ['the right request', 'the right request of another token']) {
        const before = upstream.requests.length;
        const { token, proofs } = await stage.control(what);
        const arrived = upstream.requests.slice(before);
        if (arrived.length === 0) stage.notApplicable('it does not call the next server for this request');
        for (const request of arrived) {
          for (const { what: defect, cure } of defectsAt(stage, request))
            stage.holds(false, `${what}: ${defect}`, cure ?? FORWARDED);
          const everything = everythingOf(request);
          stage.holds(
            !proofs.some((proof) => everything.includes(proof)),
            `${what}: the inbound proof stands in the request to the next server`,
          );
          stage.holds(
            token === null || bearerOf(request) !== token.compact,
            `${what}: the next server was sent the inbound token, which is bound to the caller’s certificate`,
          );
        }
      }
    },
  },
]);

/** Requests with the caller's token that do not prove it. */
function unproven(stage: Stage): readonly Variation[] {
  return [
    { what: 'no proof', change: { proof: null } },
    {
      what: 'ekm is another value',
      change: { proof: { claims: { ekm: Buffer.alloc(32, 7).toString('base64url') } } },
    },
    { what: 'the signature is by another key', change: { proof: { signWith: stage.mallory } } },
    {
      what: 'the certificate is another one',
      connect: { identity: stage.mallory },
      change: { token: { boundTo: stage.alice } },
      differs: ['connection.certificate', 'token.claims.cnf.x5t#S256'],
    },
  ];
}
