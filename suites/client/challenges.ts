import type { Token } from '../../harness/forge/token.ts';
import type { Answer, Script } from '../../harness/counterpart/resource-server/contract.ts';
import type { Field } from '../../harness/wire/connection.ts';
import { bearerOf, proofsOf } from '../../harness/scenario/client/arrival.ts';
import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import { challenged, served, serveProven, status } from '../../harness/scenario/client/answers.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { beside, twice } from './controls.ts';
import { isProven } from './upstream.ts';

/** draft -06 §3.5: what the client does when a token or its proof is refused. */

const NOT_KNOWN =
  'The error use_session_binding is not known, and taken for an invalid token. It says that the token is fine and needs a proof: make one for this connection and send it with the token, now or with the next request.';
const KEPT =
  'The refused proof is sent again and again. Forget a proof that was refused, and make a new one for the connection with the time of now.';
const ENDLESS =
  'Each refusal leads to another attempt. Repeat a request once at most, then hand the response to the agent: what the second proof does not cure, the third will not.';
const WEAKER =
  'After a refusal the token is tried in a weaker way. A session-bound token goes out with its proof, in Authorization: Bearer, to its own server, or not at all (RFC 9449 §7.2 has the same rule).';

/** What a server looks for; judged as far as it was right before any refusal. */
const RIGHT = ['form', 'signature', 'ath', 'ekm'] as const;
const AUTHENTICATE = 'WWW-Authenticate';
const MOST_ATTEMPTS = 3;
/** After so many refusals an attempt is served, so that an endless loop ends. */
const PATIENCE = 8;
/** Proofs of a signature scheme without randomness differ only when the second does. */
const NEXT_SECOND_MS = 1100;

const REFUSALS: readonly (readonly [what: string, answer: Answer])[] = [
  ['401 use_session_binding for ever', challenged('use_session_binding')],
  ['401 invalid_proof for ever', challenged('invalid_proof')],
  ['401 invalid_token for ever', challenged('invalid_token')],
  ['401 without an error code for ever', unauthorized('Bearer realm="tsbt"')],
  ['401 with an error code of another day for ever', unauthorized('Bearer error="try_again"')],
  ['425 for ever', status(425)],
];

const INVITATIONS: readonly (readonly [what: string, answer: Answer])[] = [
  ['401 use_session_binding', challenged('use_session_binding')],
  ['401 invalid_proof', challenged('invalid_proof')],
  ['401 invalid_token', challenged('invalid_token')],
  ['401 with a DPoP challenge only', unauthorized('DPoP algs="ES256"')],
  ['401 with a Basic challenge only', unauthorized('Basic realm="tsbt"')],
  ['401 with a Negotiate challenge only', unauthorized('Negotiate')],
  ['401 without a challenge', status(401)],
  ['401 with an error code of another day', unauthorized('Bearer error="proof_not_supported"')],
  ['400 that asks for the query', status(400, [], 'invalid_request: send access_token in the query')],
  ['400 that asks for the body', status(400, [], 'invalid_request: send access_token in a form')],
  ['425', status(425)],
  ['403', status(403, [[AUTHENTICATE, 'Bearer error="insufficient_scope"']])],
];

function unauthorized(challenge: string, fields: readonly Field[] = []): Answer {
  return status(401, [[AUTHENTICATE, challenge], ...fields]);
}

/** Refuses whatever comes with a proof, and then serves what comes without: the weaker way works. */
function tempting(answer: Answer): Script {
  let refusals = 0;
  return (request) => {
    if (proofsOf(request).length > 0) return refusals++ < PATIENCE ? answer : served();
    return refusals > 0 ? served() : serveProven(request);
  };
}

/** How a request says less for its token than the one with the proof before it; `undefined`: it does not. */
function weakness({ request, proofs }: Arrival, token: Token): string | undefined {
  const { fields, target, body } = request;
  const credentials = fields.filter(([name]) => name.toLowerCase() === 'authorization');
  const [scheme] = credentials.map(([, value]) => /^\S*/.exec(value)?.[0] ?? '');
  if (target.includes(token.compact)) return 'with the token in its target';
  if (body.includes(token.compact)) return 'with the token in its body';
  if (scheme !== undefined && scheme.toLowerCase() !== 'bearer') return `with the scheme ${scheme}`;
  return proofs.length === 0 && bearerOf(request) !== null ? 'with the token and no proof' : undefined;
}

export const challenges = clientSuite('client-challenges', [
  {
    id: 'CL-RETRY-1',
    title: 'answers 401 use_session_binding with a proof',
    across: { http: AXES.http },
    cause: { 'no-proof': NOT_KNOWN },
    async run(stage) {
      const opaque = { opaque: true };
      // A client that waits to be asked is asked here for the first time.
      const first = await stage.proves([], 'an opaque token', { token: opaque });
      if (first === undefined) return;
      const { arrival: control } = first;
      await stage.control([], 'the same opaque token once more', { token: first.token });
      const aspects = RIGHT.filter((one) => control.defects.every(({ aspect }) => aspect !== one));
      let asked = false;
      stage.answerWith((request) => {
        if (asked) return serveProven(request);
        asked = true;
        return challenged('use_session_binding');
      });
      const token = stage.mint(opaque);
      const what = 'an opaque token of which the first request is answered 401 use_session_binding';
      await stage.journey(what, { token }, 'variant', 'a right proof, now or with the next request');
      const next = await stage.proves(aspects, 'the next request with that token', { token });
      if (next !== undefined) beside(stage, what, control, next.arrival, aspects);
    },
  },
  {
    id: 'CL-RETRY-2',
    title: 'makes a fresh proof after 401 invalid_proof, and does not repeat the one that was refused',
    across: { http: AXES.http },
    cause: KEPT,
    async run(stage) {
      const token = stage.mint();
      const control = await twice(stage, ['form'], 'a request whose proof is accepted', { token });
      // What is wrong with every proof of the client is not for this scenario to say.
      const aspects = (['form', 'iat', 'ekm'] as const).filter((one) =>
        control.arrival.defects.every(({ aspect }) => aspect !== one),
      );
      let refused = control.proof;
      for (let attempt = 1; attempt <= 2; attempt++) {
        stage.answerWith((request) =>
          proofsOf(request)[0] === refused ? challenged('invalid_proof') : serveProven(request),
        );
        await stage.journey('the same token, and 401 invalid_proof for that proof', { token });
        const what = 'the next request with that token';
        const next = await stage.proves(aspects, what, { token });
        if (next === undefined) return;
        if (next.proof !== refused) {
          stage.pair(what, control.arrival, next.arrival, 'another proof', 'another proof', 'pass');
          return;
        }
        refused = next.proof;
        await stage.elapse(NEXT_SECOND_MS);
      }
      stage.holds(false, 'the proof that was refused with 401 invalid_proof was sent again and again');
    },
  },
  {
    id: 'CL-RETRY-3',
    title: 'gives up after three attempts at most when each of them is answered 401 or 425',
    across: { http: AXES.http },
    cause: ENDLESS,
    async run(stage) {
      await stage.control();
      for (const [what, answer] of REFUSALS) {
        let refusals = 0;
        stage.answerWith(() => (refusals++ < PATIENCE ? answer : served()));
        const { arrivals } = await stage.journey(what, { once: true }, 'variant', 'at most three attempts');
        const attempts = arrivals.length > PATIENCE ? `more than ${PATIENCE}` : String(arrivals.length);
        stage.holds(
          arrivals.length <= MOST_ATTEMPTS,
          `${what}: ${attempts} attempts at one request of the agent’s`,
        );
      }
    },
  },
  {
    id: 'CL-RETRY-4',
    title: 'never answers a refusal by sending the token in a weaker way, or elsewhere',
    cause: WEAKER,
    async run(stage) {
      await using stranger = await stage.setting.stranger();
      await stranger.begin({ tls: stage.permutation.tls, http: stage.permutation.http }, () => served());
      const elsewhere = `https://${stage.authorityOf(stranger)}`;
      const metadata = `Bearer resource_metadata="${elsewhere}/.well-known/oauth-protected-resource"`;
      const token = stage.mint();
      await twice(stage, [], 'a request with a proof', { token });
      for (const [what, answer] of [
        ['401 that names another server', unauthorized(metadata, [['Location', `${elsewhere}/resource`]])],
        ...INVITATIONS,
      ] as const) {
        stage.answerWith(tempting(answer));
        const { arrivals } = await stage.journey(what, { token, once: true }, 'variant', 'nothing weaker');
        const later = arrivals.slice(arrivals.findIndex(isProven) + 1);
        for (const arrival of later) {
          const weak = weakness(arrival, token);
          stage.holds(weak === undefined, `after ${what} a request came ${weak ?? ''}`);
        }
        stage.answerWith(serveProven);
        await stage.proves([], `the agent’s next request after ${what}`, { token });
      }
      for (const { fields, target } of stranger.requests)
        stage.holds(
          ![target, ...fields.flat()].some((text) => text.includes(token.compact)),
          'after 401 that names another server the token was sent there',
        );
    },
  },
]);
