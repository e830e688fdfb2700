import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { answered } from './token-expiry.ts';

/** draft -06 §2.4, §3.3.2 step 5: what the proof is demanded for. */

const SOME_ROUTES =
  'The check is attached to some methods or paths only, or looks at the path in another spelling than the router does. Put it in front of the whole protected resource.';
const NO_TOKEN =
  'The proof is looked for before the token. Without a token nothing demands a proof: answer 401 with a plain Bearer challenge (RFC 6750 §3.1).';

const UNPROTECTED =
  'The protected resource is served without an access token. Refuse with 401 whoever presents none (RFC 6750 §3).';
const NO_CHALLENGE =
  'A request without an access token is refused in another way than with 401 and a Bearer challenge, by which a client learns that a token is needed (RFC 6750 §3).';

export const enforcement = suite('resource-server', 'enforcement', [
  {
    id: 'RS-FLD-8',
    title: 'demands the proof for every method, path and protocol version',
    across: { http: AXES.http },
    cause: SOME_ROUTES,
    async run(stage) {
      const { protectedPath: path } = stage.setting.target;
      const usual = await stage.control();
      const page = await stage.send('another page, without token', {
        path: ELSEWHERE,
        token: null,
        proof: null,
      });
      const content = contentOf(page) === contentOf(usual) ? '' : contentOf(usual);
      for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
        await needsProof(stage, method, { method });
      }
      for (const below of ['/', '/below', '/below.css', '?a=1', '/%2e', '/.']) {
        await needsProof(stage, `the path ${path}${below}`, { path: path + below });
      }
      if (stage.permutation.http === 'http/1.1') {
        await needsProof(stage, 'HTTP/1.0', { version: 'HTTP/1.0' });
        await needsProof(stage, 'a WebSocket handshake', { fields: WEBSOCKET });
      }
      await needsProofIfProtected(stage, 'OPTIONS', { method: 'OPTIONS' }, content);
      for (const other of respelt(path)) {
        await needsProofIfProtected(stage, `the path ${other}`, { path: other }, content);
      }
      await stage.control('the right request again');
    },
  },
  {
    id: 'RS-FLD-8.expect-continue',
    title: 'asks for the body only when the proof has been checked',
    across: { http: AXES.http },
    async run(stage) {
      const plan: RequestPlan = { method: 'POST', body: 'x', fields: [['Expect', '100-continue']] };
      await stage.control('a POST request', { method: 'POST', body: 'x' });
      const { outcome, served } = await stage.send('a request that waits for 100 Continue, without a proof', {
        ...plan,
        proof: null,
      });
      const continued = outcome.type === 'response' && outcome.informational.includes(100);
      if (continued) stage.observe('100 Continue is sent before the proof is checked');
      else if (served)
        stage.inconclusive(
          'a request without a proof is served, so no proof is checked: see RS-FLD-1',
          'target',
        );
      await stage.control('the right request again');
    },
  },
  {
    id: 'RS-FLD-10',
    title: 'answers a request without token with an ordinary challenge',
    across: { http: AXES.http },
    async run(stage) {
      for (const { what, reading } of await withoutToken(stage)) {
        const ordinary = reading.kind === 'refused' && reading.status === 401 && reading.bearer;
        const aboutProof =
          reading.kind === 'refused' &&
          (reading.error === 'invalid_proof' || reading.error === 'use_session_binding');
        stage.holds(
          ordinary && !aboutProof,
          `${what}: answered ${reading.text}, must be 401 with a Bearer challenge that says nothing of a proof`,
          aboutProof ? NO_TOKEN : reading.kind === 'served' ? UNPROTECTED : NO_CHALLENGE,
        );
      }
    },
  },
  {
    id: 'RS-FLD-10.error',
    title: 'leaves the error attribute out where the request has no token',
    cause:
      'The challenge has an error attribute although nothing was presented. Leave error code and description out (RFC 6750 §3.1).',
    async run(stage) {
      const refusals = (await withoutToken(stage)).filter(({ reading }) => reading.kind === 'refused');
      for (const { what, reading } of refusals)
        stage.holds(
          reading.kind === 'refused' && reading.error === null,
          `${what}: the challenge says ${reading.text}`,
        );
      if (refusals.length === 0)
        stage.inconclusive('no request without a token was refused with an answer: see RS-FLD-10', 'target');
    },
  },
]);

const ELSEWHERE = '/tsbt-elsewhere';

const WEBSOCKET = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
] as const;

/** Other spellings of the protected path, which a router may take for it. */
function respelt(path: string): readonly string[] {
  const first = path.charCodeAt(1).toString(16);
  const spellings = [`/${path}`, `/.${path}`, `/x/..${path}`, path.toUpperCase()];
  return (path.length > 1 ? [...spellings, `/%${first}${path.slice(2)}`] : spellings).filter(
    (other) => other !== path,
  );
}

/** Judged: this kind of request is refused without a proof. What is not served with one cannot be judged. */
async function needsProof(stage: Stage, what: string, plan: RequestPlan): Promise<void> {
  const right = await stage.send(`${what}, with a proof`, plan, {}, 'control', 'served');
  if (!right.served && !upgraded(right)) {
    const { kind, text } = right.reading;
    if (plan.method !== 'HEAD' || (kind !== 'cut' && kind !== 'no-answer'))
      return stage.note(`${what}: not served at all (${text})`);
    return stage.observe(
      `HEAD with a proof led to no response that can be read (${text}), while GET of the same is served, so that nothing is known of HEAD without one; a response to HEAD has no content (RFC 9110 §9.3.2)`,
    );
  }
  const variation = { what: `${what}, without a proof`, change: { proof: null } };
  const refusal = await stage.refusesOne(refused('use_session_binding'), variation, right, plan);
  if (plan.fields !== WEBSOCKET) return;
  const switched = 'outcome' in refusal && upgraded(refusal);
  stage.holds(!switched, `${what}: the protocol is switched without a proof`);
}

/**
 * The same for requests that may be about something else, such as a CORS preflight or another page: what
 * is served to anybody is no protected representation, unless it has the protected one's content.
 *
 * @param content of the protected resource; empty where it does not tell it from other pages
 */
async function needsProofIfProtected(
  stage: Stage,
  what: string,
  plan: RequestPlan,
  content: string,
): Promise<void> {
  const anonymous = await stage.send(`${what}, without token`, { ...plan, token: null, proof: null });
  if (!anonymous.served) return needsProof(stage, what, plan);
  stage.holds(
    content === '' || content !== contentOf(anonymous),
    `${what}: the protected content is served to anybody`,
  );
  stage.note(`${what}: served to anybody`);
}

function contentOf({ outcome }: Exchange): string {
  return outcome.type === 'response' ? outcome.body.toString('latin1') : '';
}

function upgraded({ outcome }: Exchange): boolean {
  return outcome.type === 'response' && outcome.status === 101;
}

async function withoutToken(
  stage: Stage,
): Promise<readonly { readonly what: string; readonly reading: Exchange['reading'] }[]> {
  await stage.control();
  const nothing = answered(stage, await stage.send('neither token nor proof', { token: null, proof: null }));
  const proofOnly = answered(
    stage,
    await stage.send('a proof but no token', { token: null, proof: { forToken: await stage.mint() } }),
  );
  await stage.control('the right request again');
  return [
    { what: 'neither token nor proof', reading: nothing.reading },
    { what: 'a proof but no token', reading: proofOnly.reading },
  ];
}
