import type { Answer, Script, UpstreamRequest } from '../../harness/counterpart/resource-server/contract.ts';
import type { DpopKey } from '../../harness/forge/dpop-proof.ts';
import { readJwt } from '../../harness/forge/read.ts';
import { served, serveProven, status } from '../../harness/scenario/client/answers.ts';
import { outcomeText } from '../../harness/scenario/client/client-play.ts';
import type { AgentPlan, Journey } from '../../harness/scenario/client/client-play.ts';
import { clientSuite } from '../../harness/scenario/client/client-scenario.ts';
import type { ClientStage } from '../../harness/scenario/client/client-stage.ts';
import { dpopProofsOf, examineDpop } from '../../harness/scenario/client/dpop-examination.ts';

/** draft -06 §4.2, RFC 9449: what the client sends with a token that is bound to the TLS session and to a DPoP key (AMB-32). */

const ONE_PROOF =
  'The client knows one binding for each token. Where cnf has tls_exp and jkt, both proofs go with each request: the server refuses it otherwise.';
const KEPT =
  'A DPoP proof is sent again. It holds for one request (RFC 9449 §4.2, §11.1), while the Session-Binding Proof beside it holds for the connection.';
const NO_NONCE =
  'The nonce that the server gives is not put into the next DPoP proof (RFC 9449 §8, §9). Keep the last DPoP-Nonce of each server, and repeat the request once with it.';

const NOT_SUITED =
  'The algorithm of the DPoP proof does not go with its key. Each curve has one algorithm, ES256 for P-256, ES384 for P-384, ES512 for P-521, and an RSA key has 2048 bits or more (RFC 7518 §3.3, §3.4): derive alg from the key.';

const RIGHT = ['form', 'signature', 'ath', 'ekm'] as const;
const NONCE = 'tsbt-nonce';

function keyOf(stage: ClientStage): DpopKey {
  return (
    stage.setting.dpopKey ??
    stage.notApplicable('the suite has not started this client, and does not know its DPoP key')
  );
}

function under(scheme: 'DPoP' | 'Bearer'): Pick<AgentPlan, 'authorization'> {
  return { authorization: (token) => [['Authorization', `${scheme} ${token}`]] };
}

/** Judged: every request of these came with one right proof of each kind. */
function bothProven(stage: ClientStage, key: DpopKey, journey: Journey, nonce?: string): void {
  const { what, token, arrivals, outcome } = journey;
  const last = arrivals.at(-1);
  stage.holds(last !== undefined, `${what}: did not arrive (the agent got ${outcomeText(outcome)})`, null);
  if (last === undefined) return;
  const { request, proofs } = last;
  stage.holds(
    proofs.length === 1,
    `${what}: arrived with ${proofs.length === 0 ? 'no' : String(proofs.length)} Session-Binding-Proof`,
    proofs.length === 0 ? ONE_PROOF : null,
  );
  stage.sound(RIGHT, [last]);
  const origin = `https://${stage.authorityOf(stage.counterpart)}`;
  const circumstances = { token: token?.compact ?? '', jkt: key.thumbprint, request, origin, nonce };
  for (const defect of examineDpop(dpopProofsOf(request), circumstances))
    stage.holds(false, `${what}: ${defect}`, causeOf(request, nonce, defect));
}

/** What a wrong DPoP proof means, where that can be told. */
function causeOf(request: UpstreamRequest, nonce: string | undefined, defect: string): string | null {
  if (dpopProofsOf(request).length === 0) return ONE_PROOF;
  if (/its (?:alg|RSA key) /.test(defect)) return NOT_SUITED;
  return nonce !== undefined && nonceOf(request) !== nonce ? NO_NONCE : null;
}

/** Asks for the nonce wherever a DPoP proof has another one or none; the rest as usual. */
const demandsNonce: Script = (request) =>
  dpopProofsOf(request).length > 0 && nonceOf(request) !== NONCE ? useNonce() : serveProven(request);

function nonceOf(request: UpstreamRequest): unknown {
  const { claims } = readJwt(dpopProofsOf(request)[0] ?? '');
  return typeof claims === 'object' && claims !== null && 'nonce' in claims ? claims.nonce : undefined;
}

function useNonce(): Answer {
  return status(401, [
    ['WWW-Authenticate', 'DPoP error="use_dpop_nonce", algs="ES256"'],
    ['DPoP-Nonce', NONCE],
  ]);
}

export const clientDpop = clientSuite('client-dpop', [
  {
    id: 'CL-DPOP-1',
    title: 'sends both proofs with a token that is bound to the TLS session and to its DPoP key',
    capabilities: ['dpop'],
    cause: ONE_PROOF,
    async run(stage) {
      const key = keyOf(stage);
      await stage.control(RIGHT, 'a request with a session-bound token');
      for (const scheme of ['Bearer', 'DPoP'] as const) {
        const plan: AgentPlan = { token: { jkt: key }, ...under(scheme) };
        const what = `a token bound in both ways, scheme ${scheme}`;
        const journey = await stage.journey(what, plan, 'variant', 'both proofs');
        bothProven(stage, key, journey);
        const [, credentials = ''] =
          journey.arrivals.at(-1)?.request.fields.find(([name]) => name.toLowerCase() === 'authorization') ??
          [];
        stage.note(
          `what the agent sends under ${scheme} goes out under ${/^\S*/.exec(credentials)?.[0] ?? ''}`,
        );
      }
    },
  },
  {
    id: 'CL-DPOP-1.fresh',
    title: 'makes a DPoP proof for each request, beside one session-binding proof for the connection',
    capabilities: ['dpop'],
    cause: KEPT,
    async run(stage) {
      const key = keyOf(stage);
      await stage.control(RIGHT, 'a request with a session-bound token');
      const token = stage.mint({ jkt: key });
      const seen = new Set<string>();
      const methods = ['GET', 'POST', 'GET', 'DELETE'];
      for (const [index, method] of methods.entries()) {
        const plan: AgentPlan = { token, method, path: `/resource/${index}?q=1`, ...under('DPoP') };
        const journey = await stage.journey(`${method} with the same token`, plan, 'variant', 'both proofs');
        bothProven(stage, key, journey);
        for (const { request } of journey.arrivals) {
          const [proof = ''] = dpopProofsOf(request);
          stage.holds(proof === '' || !seen.has(proof), 'a DPoP proof came a second time');
          seen.add(proof);
        }
      }
    },
  },
  {
    id: 'CL-DPOP-1.nonce',
    title: 'answers a nonce challenge once, and the session-binding proof goes with it',
    capabilities: ['dpop'],
    cause: NO_NONCE,
    async run(stage) {
      const key = keyOf(stage);
      const token = stage.mint({ jkt: key });
      const plan: AgentPlan = { token, ...under('DPoP') };
      await stage.control(RIGHT, 'a request with the token before a nonce is asked for', plan);
      stage.answerWith(demandsNonce);
      const first = await stage.journey('a nonce is asked for', plan, 'variant', 'at most two attempts');
      stage.holds(first.arrivals.length <= 2, `a nonce is asked for: ${first.arrivals.length} attempts`);
      const next = await stage.journey('the next request', plan, 'variant', 'both proofs, with the nonce');
      bothProven(stage, key, next, NONCE);
      let asked = 0;
      const another = 'another-nonce';
      stage.answerWith(() => {
        asked += 1;
        return asked > 8
          ? served()
          : status(401, [
              ['WWW-Authenticate', 'DPoP error="use_dpop_nonce"'],
              ['DPoP-Nonce', `${another}-${asked}`],
            ]);
      });
      const endless = await stage.journey(
        'a new nonce is asked for each time',
        { ...plan, once: true },
        'variant',
        'at most three attempts',
      );
      stage.holds(
        endless.arrivals.length <= 3,
        `a new nonce is asked for each time: ${endless.arrivals.length} attempts at one request`,
        'Each new nonce leads to another attempt. Repeat a request once at most, then hand the response to the agent.',
      );
    },
  },
]);
