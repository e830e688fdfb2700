import { dpopKeyOf } from '../../harness/forge/dpop-proof.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { DpopPlan, RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { demandsProof } from './confirmed-tokens.ts';
import { doublyBound, JKT, keyBound, KEY_ALONE, MISSING, REFUSED, schemesFor, under } from './dpop-bound.ts';

/** draft -06 §4.2, RFC 8725 §3.12: what belongs to DPoP (RFC 9449) never stands in for what belongs to session binding. */

const DOWNGRADE =
  'The scheme DPoP, or a DPoP proof, takes a session-bound token out of the rules for such tokens. What a token demands is said in its cnf claim, not in the scheme that it is sent under.';
const MIXED_UP =
  'Proofs are told apart by what they look like, or taken from either field. Take the Session-Binding Proof from Session-Binding-Proof and the DPoP proof from DPoP, each with its own typ (RFC 8725 §3.12).';
const MODE_SWITCH =
  'Which proof is needed is decided per connection. Decide it for each request from the token that it carries.';

/** Right proofs in wrong fields. */
function misplaced(inDpop: RequestPlan, inSession: DpopPlan): readonly Variation[] {
  const both: DpopPlan = {
    carriage: (proof) => [
      ['DPoP', proof],
      ['Session-Binding-Proof', proof],
    ],
  };
  return [
    {
      what: 'each proof in the other’s field',
      change: { ...inDpop, dpop: inSession },
      differs: ['proof', 'dpop', 'request.field.dpop'],
    },
    {
      what: 'the Session-Binding Proof in both fields, no DPoP proof',
      change: {
        carriage: (proof) => [
          ['Session-Binding-Proof', proof],
          ['DPoP', proof],
        ],
        dpop: null,
      },
      differs: ['proof', 'dpop', 'request.field.dpop'],
    },
    {
      what: 'the DPoP proof in both fields, no Session-Binding Proof',
      change: { proof: null, dpop: both },
      differs: ['proof', 'dpop'],
    },
    {
      what: 'both proofs in the field Session-Binding-Proof',
      change: { dpop: inSession },
      differs: ['dpop', 'proof'],
    },
    {
      what: 'both proofs in the field DPoP',
      change: inDpop,
      differs: ['proof', 'request.field.dpop'],
    },
  ];
}

export const dpopConfusion = suite('resource-server', 'dpop-confusion', [
  {
    id: 'RS-DPOP-3',
    title: 'refuses a session-bound token under the DPoP scheme with a DPoP key of the sender’s own making',
    across: { http: AXES.http },
    cause: DOWNGRADE,
    async run(stage) {
      await demandsProof(stage);
      const own: RequestPlan = { dpop: { by: stage.otherDpopKey }, proof: null };
      await stage.refuses(REFUSED, [
        {
          what: 'scheme DPoP, a DPoP proof, no session-binding proof',
          change: { ...under('DPoP'), ...own },
          differs: ['request.authorization', 'dpop', 'proof'],
        },
        {
          what: 'scheme Bearer, a DPoP proof, no session-binding proof',
          change: own,
          differs: ['dpop', 'proof'],
        },
        { what: 'scheme DPoP, no proof of any kind', change: { ...under('DPoP'), proof: null } },
      ]);
    },
  },
  {
    id: 'RS-DPOP-3.with-session-proof',
    title: 'refuses a session-bound token under the DPoP scheme with a right session-binding proof',
    cause:
      'A token that is not bound to a DPoP key is taken under the DPoP scheme (RFC 9449 §7.1); its session binding is enforced all the same.',
    async run(stage) {
      await stage.refuses(REFUSED, [
        {
          what: 'scheme DPoP, a DPoP proof and a session-binding proof',
          change: { ...under('DPoP'), dpop: { by: stage.otherDpopKey } },
          differs: ['request.authorization', 'dpop'],
        },
      ]);
    },
  },
  {
    id: 'RS-DPOP-4.doubly-bound',
    title: 'takes each of the two proofs of a token bound in both ways from its own field only',
    capabilities: ['dpop'],
    cause: MIXED_UP,
    async run(stage) {
      const inDpop: RequestPlan = { carriage: (proof) => [['DPoP', proof]] };
      const inSession: DpopPlan = { carriage: (proof) => [['Session-Binding-Proof', proof]] };
      await stage.refuses(REFUSED, misplaced(inDpop, inSession), await doublyBound(stage));
    },
  },
  {
    id: 'RS-DPOP-4.same-key',
    title: 'tells the proofs apart where the key of the client certificate is the DPoP key too',
    capabilities: ['dpop'],
    cause: MIXED_UP,
    async run(stage) {
      const key = dpopKeyOf(stage.alice);
      const doubly = await doublyBound(stage);
      const base: RequestPlan = { ...doubly, token: { jkt: key }, dpop: { by: key } };
      const { htm, htu } = stage.perRequest();
      const taken = await stage.send('the key of the client certificate is the DPoP key', base);
      if (!taken.served) stage.notApplicable(`such a DPoP key is not taken here (${taken.reading.text})`);
      const ekm = { claims: { ekm: 'of no use' } };
      await stage.refuses(
        REFUSED,
        [
          ...MISSING,
          {
            what: 'the Session-Binding Proof has everything that a DPoP proof has, and there is no DPoP proof',
            change: { proof: { header: { jwk: key.jwk }, claims: { htm, htu, jti: 'tsbt' } }, dpop: null },
            differs: ['proof.header.jwk', 'proof.claims.htm', 'proof.claims.htu', 'proof.claims.jti', 'dpop'],
          },
          {
            what: 'the DPoP proof has the header of a Session-Binding Proof, in place of that',
            change: {
              proof: null,
              dpop: { header: { 'x5t#S256': stage.alice.thumbprint }, ...ekm },
            },
            differs: ['proof', 'dpop.header.x5t#S256', 'dpop.claims.ekm'],
          },
        ],
        base,
      );
    },
  },
  {
    id: 'RS-DPOP-5',
    title: 'ignores or refuses cnf.jkt beside tls_exp where it does not know DPoP, and does so each time',
    async run(stage) {
      if (stage.setting.target.capabilities.has('dpop'))
        stage.notApplicable('the target claims dpop: RS-DPOP-1 and RS-DPOP-2 are about that');
      await stage.control();
      const answers = [];
      for (const time of ['first', 'second', 'third']) {
        const { served, reading } = await stage.send(`cnf has jkt too, ${time} time`, {
          token: { jkt: stage.dpopKey },
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
    id: 'RS-DPOP-6.key-bound',
    title: 'keeps the rules of DPoP-bound and of session-bound tokens apart on one connection',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    capabilities: ['dpop'],
    cause: MODE_SWITCH,
    async run(stage) {
      await demandsProof(stage);
      const [scheme] = await schemesFor(stage, KEY_ALONE, { proof: null });
      if (scheme === undefined)
        return stage.notApplicable('tokens that are bound to a DPoP key alone are not served here');
      const on = await stage.connect();
      const keyAlone: RequestPlan = { ...keyBound(stage, scheme, KEY_ALONE), proof: null };
      const first = await stage.control('a DPoP-bound token with its proof', keyAlone, { on });
      const session = await stage.mint();
      await stage.refusesOne(
        refused('use_session_binding'),
        {
          what: 'a session-bound token without proof right after',
          change: {
            token: session,
            dpop: null,
            authorization: (token) => [['Authorization', `Bearer ${token}`]],
          },
          differs: [
            JKT,
            'token.claims.cnf.x5t#S256',
            'token.claims.cnf.tls_exp',
            'dpop',
            ...(scheme === 'Bearer' ? [] : ['request.authorization']),
          ],
        },
        first,
        keyAlone,
        { on },
      );
      await stage.control('a session-bound token with its proof', {}, { on });
      const again = await stage.control('a DPoP-bound token with its proof again', keyAlone, { on });
      await stage.refusesOne(
        REFUSED,
        { what: 'a DPoP-bound token without DPoP proof right after', change: { dpop: null } },
        again,
        keyAlone,
        { on },
      );
    },
  },
]);
