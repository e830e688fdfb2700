import { challenged, serveProven, served, status } from '../../harness/scenario/client/answers.ts';
import type { Arrival } from '../../harness/scenario/client/arrival.ts';
import type { AgentPlan } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { claimsOf, readableProof, shown } from './readable-proof.ts';
import type { ReadProof } from './readable-proof.ts';
import { answering, isProven } from './upstream.ts';

/** draft -06 §2.3.2.2, §6.2.1: proofs of a client that is told to tie each of them to one request. */

const REPEATED_ID =
  'Two proofs have the same jti. Take a random one of 128 bits or a UUID for each proof, not a counter that starts anew with a connection.';
const OTHER_REQUEST =
  'htm or htu is not that of the request that the proof goes out with. Take method and target URI from the request as it is sent, after redirections and rewriting, without query and fragment, and leave percent-encoding as it is.';
const REUSED =
  'A proof that is tied to one request was sent with another. Remember no proof that has jti, htm or htu: make one for each request that goes out, a repeated one too.';
const NOT_TIED =
  'The client is told to make a proof for each request (TSBT_PROOF_CLAIMS is "request"), and leaves jti, htm and htu out, or sends a proof that it remembered without them.';

const REPEATED_STREAM =
  'The HTTP/2 library sends a request again whose stream was refused, proof and all. Turn that off, or make the proof beneath it: a proof with jti is for one request, and an intermediary that refuses the stream for the server may have recorded it already.';

const CLAIMS = ['jti', 'htm', 'htu'] as const;

/** 64 bits in base64url; RFC 7519 §4.1.7 asks for a negligible probability of the same value. */
const SHORTEST_ID = 11;

type ClaimName = (typeof CLAIMS)[number];

/** A right request whose proof is tied to it by at least one of these; without them there is nothing to judge. */
async function tied(stage: ClientStage, names: readonly ClaimName[], plan?: AgentPlan): Promise<ReadProof> {
  const read = await readableProof(stage, plan);
  if (!names.some((name) => Object.hasOwn(read.claims, name)))
    stage.notApplicable(`the client’s proofs have no ${names.join(' or ')}; see CL-PL-7`);
  return read;
}

function claimOf({ proofs: [proof = ''] }: Arrival, name: ClaimName): unknown {
  return claimsOf(proof)[name];
}

/** Judges that no proof came twice. */
function noneTwice(stage: ClientStage): void {
  const again = stage.arrivals().filter(({ proofSeenBefore }) => proofSeenBefore);
  const [first] = again.map(
    ({ request: { method, target, connection } }) => `${method} ${target} on ${connection.id}`,
  );
  stage.holds(
    again.length === 0,
    `${again.length} requests came with a proof that was used before, ${first} the first of them`,
    REUSED,
  );
}

/** Judges that a repeated request has not the proof, or the `jti`, that it had before. */
function notTheSame(stage: ClientStage, first: Arrival, again: Arrival): void {
  const jti = claimOf(again, 'jti');
  const sameProof = again.proofs[0] === first.proofs[0];
  const { method, target, connection } = again.request;
  stage.holds(
    !sameProof && (jti === undefined || jti !== claimOf(first, 'jti')),
    `the stream of ${method} ${target} was refused, and it came again on ${connection.id} with the same ${sameProof ? 'proof' : 'jti'}`,
  );
}

/** Refuses the next proof, which the client may answer with another attempt. */
async function refusedOnce(stage: ClientStage): Promise<void> {
  let refusals = 1;
  stage.answerWith((request) => (refusals-- > 0 ? challenged('invalid_proof') : serveProven(request)));
  await stage.journey('a request whose proof is refused once');
}

/** Requests of every kind that a method or a target has a trap in. */
const REQUESTS: readonly AgentPlan[] = [
  { method: 'POST', path: '/resource?order=1&next=/a?b', body: Buffer.from('order') },
  { method: 'PUT', path: '/resource/a%2Fb', body: Buffer.from('order') },
  { method: 'DELETE', path: '/resource/caf%C3%A9?a=%23' },
  { method: 'PATCH', path: '/resource/a%20b;v=1,2', body: Buffer.from('order') },
  { method: 'HEAD', path: '/resource/' },
  { method: 'OPTIONS', path: '/resource/a//b?' },
  { path: '/' },
];

export const perRequestClaims = clientSuite('client-per-request-claims', [
  {
    id: 'CL-PL-4',
    title: 'gives each proof a jti of its own, whatever the connection, and uses none of them twice',
    proofClaims: 'request',
    across: { http: AXES.http },
    timeLimitMs: 60_000,
    cause: REPEATED_ID,
    async run(stage) {
      await tied(stage, ['jti']);
      const [rounds, users] = stage.full ? [25, 8] : [3, 4];
      for (let round = 0; round < rounds; round++) {
        const token = stage.mint();
        const plans = Array.from({ length: users }, (_, user) => (user % 2 === 0 ? { token } : {}));
        await Promise.all(plans.map((plan) => stage.journey('one of several requests at once', plan)));
        await Promise.all(stage.connections.filter(({ open }) => open).map((connection) => connection.end()));
      }
      await refusedOnce(stage);
      const proven = stage.arrivals().filter(({ proofs }) => proofs.length > 0);
      if (proven.length < rounds)
        stage.inconclusive(`only ${proven.length} requests with a proof reached the resource server`);
      const identifiers = proven.map((arrival) => claimOf(arrival, 'jti'));
      const repeated = identifiers.filter(
        (jti, index) => jti !== undefined && identifiers.indexOf(jti) < index,
      );
      stage.holds(
        repeated.length === 0,
        `of ${proven.length} proofs, ${repeated.length} have a jti that an earlier one had`,
      );
      stage.sound(['jti']);
      noneTwice(stage);
      const short = identifiers.find((jti) => typeof jti === 'string' && jti.length < SHORTEST_ID);
      if (short !== undefined)
        stage.observe(
          `a jti such as ${shown(short)} is short: clients, or a restart of one, may hit upon it again`,
        );
    },
  },
  {
    id: 'CL-PL-5',
    title: 'puts method and target URI of the very request into htm and htu, without query and fragment',
    proofClaims: 'request',
    across: { http: AXES.http },
    cause: OTHER_REQUEST,
    async run(stage) {
      const { token } = await tied(stage, ['htm', 'htu']);
      for (const plan of REQUESTS) {
        const what = `${plan.method ?? 'GET'} ${plan.path}`;
        await stage.journey(what, { ...plan, token }, 'variant', 'htm and htu are those of the request');
      }
      stage.sound(['htm', 'htu']);
    },
  },
  {
    id: 'CL-PL-5.redirected',
    title:
      'puts the method and the target of the redirected request into its proof where it follows a redirection',
    proofClaims: 'request',
    across: { http: AXES.http },
    cause: OTHER_REQUEST,
    async run(stage) {
      await tied(stage, ['htm', 'htu']);
      let followed = false;
      for (const code of [303, 307, 302, 308]) {
        stage.answerWith((request) =>
          request.target.includes('moved')
            ? served()
            : status(code, [['Location', '/resource/moved?by=redirection']]),
        );
        const order = { method: 'POST', body: Buffer.from('order') };
        const { arrivals } = await stage.journey(`a POST that is answered ${code}`, order, 'variant');
        followed ||= arrivals.some(({ request }) => request.target.includes('moved'));
      }
      stage.sound(['htm', 'htu']);
      if (!followed) stage.notApplicable('the client leaves redirections to its agent');
    },
  },
  {
    id: 'CL-PL-6',
    title: 'uses a proof with per-request claims for one request only, even where the next is the same',
    proofClaims: 'request',
    across: { http: AXES.http },
    cause: REUSED,
    async run(stage) {
      const { token, arrival } = await tied(stage, CLAIMS);
      const again = await stage.journey('the same request again', { token }, 'variant', 'another proof');
      const [variant] = again.arrivals;
      if (variant !== undefined)
        stage.pair(
          'the same request twice',
          arrival,
          variant,
          'a proof for each',
          variant.proofSeenBefore ? 'one proof for both' : 'a proof for each',
          variant.proofSeenBefore ? 'fail' : 'pass',
        );
      await Promise.all([1, 2, 3].map(() => stage.journey('the same request at the same time', { token })));
      await refusedOnce(stage);
      noneTwice(stage);
    },
  },
  {
    id: 'CL-PL-6.refused-stream',
    title: 'makes another proof with per-request claims for a request whose HTTP/2 stream was refused',
    proofClaims: 'request',
    across: { http: ['h2'] },
    cause: REPEATED_STREAM,
    async run(stage) {
      const { token } = await tied(stage, CLAIMS);
      let [refusals, repetitions] = [0, 0];
      for (const plan of [{ token }, {}, { token, method: 'POST', body: Buffer.from('order') }]) {
        stage.answerWith(answering({ kind: 'refuse-stream' }));
        const { arrivals } = await stage.journey('its stream is refused', plan, 'variant', 'another proof');
        const [first, ...again] = arrivals.filter(isProven);
        refusals += first === undefined ? 0 : 1;
        repetitions += again.length;
        if (first !== undefined) for (const arrival of again) notTheSame(stage, first, arrival);
      }
      if (refusals === 0) stage.inconclusive('no request with a proof arrived, so that none was refused');
      if (repetitions === 0) stage.note('the client leaves it to its agent to repeat what was refused');
    },
  },
  {
    id: 'CL-PL-7',
    title: 'ties each proof to its request where it is told to, and not only the first one of a connection',
    proofClaims: 'request',
    cause: NOT_TIED,
    async run(stage) {
      const { token } = await readableProof(stage);
      await stage.journey('the same token again', { token });
      await stage.journey('another token', {});
      await stage.journey('another method', { token, method: 'POST', body: Buffer.from('order') });
      for (const arrival of stage.arrivals().filter(({ proofs }) => proofs.length > 0)) {
        const { request } = arrival;
        const missing = CLAIMS.filter((name) => claimOf(arrival, name) === undefined);
        const what = `the proof of ${request.method} ${request.target} has no ${missing.join(', ')}`;
        if (missing.length === CLAIMS.length) stage.holds(false, what);
        else if (missing.length > 0) stage.observe(what);
      }
    },
  },
]);
