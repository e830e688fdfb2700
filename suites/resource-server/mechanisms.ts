import { dpopProof } from '../../harness/forge/other-jwts.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { demandsProof } from './confirmed-tokens.ts';

/** draft -06 §4: session-bound tokens beside RFC 8705 and DPoP. */

const DOWNGRADE =
  'The scheme DPoP, or a DPoP proof, takes a session-bound token out of the rules for such tokens. What a token demands is said in its cnf claim, not in the scheme that it is sent under.';
const MODE_SWITCH =
  'Which proof is needed is decided per connection. Decide it for each request from the token that it carries.';

/** The request of a client that presents the token under a key of its own making (RFC 9449 §4, §7.1). */
function underDpop(stage: Stage, scheme: string): RequestPlan {
  const { htm, htu } = stage.perRequest();
  return {
    authorization: (token) => [
      ['Authorization', `${scheme} ${token}`],
      ['DPoP', dpopProof({ identity: stage.mallory, token, htm, htu })],
    ],
  };
}

const UNPROVEN_CERTIFICATE_BOUND: RequestPlan = { token: { sessionBound: false }, proof: null };

export const mechanisms = suite('resource-server', 'mechanisms', [
  {
    id: 'RS-DPOP-3',
    title: 'refuses a session-bound token under the DPoP scheme with a DPoP key of the sender’s own making',
    across: { http: AXES.http },
    cause: DOWNGRADE,
    async run(stage) {
      await demandsProof(stage);
      await stage.refuses(refused(), [
        {
          what: 'scheme DPoP, a DPoP proof, no session-binding proof',
          change: { ...underDpop(stage, 'DPoP'), proof: null },
          differs: ['request.authorization', 'request.field.dpop', 'proof'],
        },
        {
          what: 'scheme Bearer, a DPoP proof, no session-binding proof',
          change: { ...underDpop(stage, 'Bearer'), proof: null },
          differs: ['request.field.dpop', 'proof'],
        },
        {
          what: 'scheme DPoP, no proof of any kind',
          change: { authorization: (token) => [['Authorization', `DPoP ${token}`]], proof: null },
        },
      ]);
    },
  },
  {
    id: 'RS-DPOP-3.with-session-proof',
    title: 'refuses a session-bound token under the DPoP scheme with a right session-binding proof',
    cause:
      'A token that is not bound to a DPoP key is taken under the DPoP scheme (RFC 9449 §7.1); its session binding is enforced all the same.',
    async run(stage) {
      await stage.refuses(refused(), [
        {
          what: 'scheme DPoP, a DPoP proof and a session-binding proof',
          change: underDpop(stage, 'DPoP'),
          differs: ['request.authorization', 'request.field.dpop'],
        },
      ]);
    },
  },
  {
    id: 'RS-DPOP-5',
    title: 'ignores or refuses cnf.jkt beside tls_exp where it does not know DPoP, and does so each time',
    async run(stage) {
      if (stage.setting.target.capabilities.has('dpop'))
        stage.notApplicable('the target claims dpop: RS-DPOP-1 and RS-DPOP-2 are about that');
      await stage.control();
      const cnf = {
        'x5t#S256': stage.alice.thumbprint,
        tls_exp: 'EXPORTER-oauth-tls-session-bound',
        jkt: stage.mallory.thumbprint,
      };
      const answers = [];
      for (const time of ['first', 'second', 'third']) {
        const { served, reading } = await stage.send(`cnf has jkt too, ${time} time`, {
          token: { claims: { cnf } },
        });
        stage.holds(
          served || reading.kind === 'refused',
          `cnf with jkt beside tls_exp: answered ${reading.text}`,
        );
        answers.push(served ? 'ignored' : 'refused');
      }
      stage.holds(
        new Set(answers).size === 1,
        `jkt beside tls_exp is treated differently from time to time: ${answers.join(', ')}`,
      );
      stage.note(`jkt beside tls_exp is ${answers[0] ?? ''} (AMB-32)`);
    },
  },
  {
    id: 'RS-DPOP-6',
    title:
      'demands a proof of a session-bound token right after a certificate-bound one on the same connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: MODE_SWITCH,
    async run(stage) {
      await demandsProof(stage);
      const on = await stage.connect();
      const certificateBound = await stage.send(
        'a certificate-bound token (RFC 8705)',
        UNPROVEN_CERTIFICATE_BOUND,
        { on },
      );
      if (!certificateBound.served)
        stage.notApplicable(
          `tokens that are bound to the certificate only are not served here (${certificateBound.reading.text})`,
        );
      await stage.refusesOne(
        refused('use_session_binding'),
        {
          what: 'a session-bound token without proof right after',
          change: { token: { sessionBound: true } },
        },
        certificateBound,
        UNPROVEN_CERTIFICATE_BOUND,
        { on },
      );
      await stage.control('a session-bound token with its proof', {}, { on });
    },
  },
  {
    id: 'RS-DPOP-6.certificate-bound',
    title:
      'serves a certificate-bound token without proof right after a session-bound one was verified on the same connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    cause: MODE_SWITCH,
    async run(stage) {
      const before = await stage.send(
        'a certificate-bound token on a connection of its own',
        UNPROVEN_CERTIFICATE_BOUND,
        { on: await stage.connect() },
      );
      if (!before.served)
        stage.notApplicable(
          `tokens that are bound to the certificate only are not served here (${before.reading.text})`,
        );
      const on = await stage.connect();
      await stage.control('a session-bound token with its proof', {}, { on });
      await stage.accepts('a certificate-bound token without proof', UNPROVEN_CERTIFICATE_BOUND, { on });
      await stage.control('a session-bound token with its proof again', {}, { on });
    },
  },
]);
