import { dpopKeyOf } from '../../harness/forge/dpop-proof.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import type { DpopPlan, ProofPlan, RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import {
  doublyBound,
  keyBound,
  KEY_ALONE,
  KEY_AND_CERTIFICATE,
  MISSING,
  REFUSED,
  SCHEMES,
  schemesFor,
  under,
} from './dpop-bound.ts';

/** draft -06 §4.2, RFC 9449: tokens that are bound to a DPoP key, alone and beside the TLS session. */

const EITHER_OR =
  'One proof is taken for both bindings. Go through the members of cnf, and demand for each one that is understood the proof that belongs to it (RFC 9449 §7.2, RFC 7800 §3).';
const HALF_A_PROOF =
  'The DPoP proof is looked for but not verified in full: its key against cnf.jkt, its signature, ath, htm, htu, iat and jti (RFC 9449 §4.3).';
const HALF_A_BINDING =
  'Where a DPoP proof is right, the Session-Binding Proof is not verified in full. Both are verified, each by its own rules (draft -06 §4.2).';
const REMEMBERED =
  'What was verified once on the connection is taken for both bindings. Only the session’s binding lasts for the connection: a DPoP proof belongs to one request.';
const OTHER_KEY =
  'The key of the DPoP proof is not compared with cnf.jkt. Its thumbprint (RFC 7638) has to be that one (RFC 9449 §6.1, §7.1).';
const DPOP_SUFFICES =
  'Where a DPoP proof is right, or a binding was verified on the connection before, no Session-Binding Proof is demanded. Demand it with each request, whatever else comes with it.';
const BY_SCHEME =
  'Which binding is enforced follows from the scheme, so that the sender chooses which one to drop. Read it from the token’s cnf.';

const HOUR = 3600;

/** By a key that is not the one in `cnf.jkt`. */
function byAnotherKey({ otherDpopKey }: Stage): Variation {
  return { ...wrongDpop('by another key', { by: otherDpopKey }), cause: OTHER_KEY };
}

function wrongDpop(what: string, dpop: DpopPlan, ...differs: readonly string[]): Variation {
  return { what: `DPoP proof ${what}`, change: { dpop }, ...(differs.length > 0 ? { differs } : {}) };
}

function wrongProof(what: string, proof: ProofPlan): Variation {
  return { what: `Session-Binding Proof ${what}`, change: { proof } };
}

/** DPoP proofs that are wrong in one way each (RFC 9449 §4.3). */
async function wrongDpopProofs(stage: Stage): Promise<readonly Variation[]> {
  const { otherDpopKey: stranger, alice } = stage;
  const now = Math.floor(Date.now() / 1000);
  return [
    wrongDpop('by another key', { by: stranger }),
    wrongDpop(
      'by the key of the client certificate',
      { by: dpopKeyOf(alice) },
      'dpop.header.jwk',
      ...algorithmOf(stage),
    ),
    wrongDpop('signed by another key than the one in its header', { signWith: stranger.privateKey }),
    wrongDpop('without signature', { algorithm: 'none' }, 'dpop'),
    wrongDpop('for another token', { forToken: await stage.mint({ jkt: stage.dpopKey }) }),
    wrongDpop('without ath', { claims: { ath: undefined } }),
    wrongDpop('with the typ of a Session-Binding Proof', { header: { typ: 'tls-binding-proof+jwt' } }),
    wrongDpop('for another method', { claims: { htm: 'POST' } }),
    wrongDpop('for another URI', { claims: { htu: 'https://rs.tsbt.test/other' } }),
    wrongDpop('an hour old', { claims: { iat: now - HOUR } }),
    wrongDpop('without jti', { claims: { jti: undefined } }),
  ];
}

/** The TLS key may sign with another algorithm than the DPoP key. */
function algorithmOf({ alice, dpopKey }: Stage): readonly string[] {
  return dpopKeyOf(alice).algorithm === dpopKey.algorithm ? [] : ['dpop.header.alg'];
}

async function wrongSessionProofs(stage: Stage): Promise<readonly Variation[]> {
  const now = Math.floor(Date.now() / 1000);
  return [
    wrongProof('of another connection', { forConnection: await stage.connect() }),
    wrongProof('for another token', { forToken: await stage.mint({ jkt: stage.dpopKey }) }),
    wrongProof('by mallory’s key', { signWith: stage.mallory }),
    {
      what: 'Session-Binding Proof by the DPoP key',
      change: { proof: { signWith: stage.dpopKey.privateKey, algorithm: stage.dpopKey.algorithm } },
      differs: ['proof.signature', ...(stage.permutation.key === 'P-256' ? [] : ['proof.header.alg'])],
    },
    wrongProof('with the typ of a DPoP proof', { header: { typ: 'dpop+jwt' } }),
    wrongProof('without ekm', { claims: { ekm: undefined } }),
    wrongProof('without ath', { claims: { ath: undefined } }),
    wrongProof('an hour old', { claims: { iat: now - HOUR } }),
  ];
}

export const dpop = suite('resource-server', 'dpop', [
  {
    id: 'RS-DPOP-1',
    title:
      'refuses a token that is bound to the TLS session and to a DPoP key where one of the proofs is missing',
    across: { http: AXES.http },
    capabilities: ['dpop'],
    cause: EITHER_OR,
    async run(stage) {
      await stage.refuses(REFUSED, MISSING, await doublyBound(stage));
    },
  },
  {
    id: 'RS-DPOP-1.introspection',
    title: 'reads both bindings of a token that is not a JWT from the introspection response',
    capabilities: ['dpop', 'introspection'],
    cause: EITHER_OR,
    async run(stage) {
      await stage.refuses(REFUSED, MISSING, await doublyBound(stage, { opaque: true }));
    },
  },
  {
    id: 'RS-DPOP-1.wrong-dpop-proof',
    title: 'refuses a token bound in both ways with a right Session-Binding Proof and a wrong DPoP proof',
    capabilities: ['dpop'],
    cause: HALF_A_PROOF,
    async run(stage) {
      await stage.refuses(REFUSED, await wrongDpopProofs(stage), await doublyBound(stage));
    },
  },
  {
    id: 'RS-DPOP-1.wrong-session-proof',
    title: 'refuses a token bound in both ways with a right DPoP proof and a wrong Session-Binding Proof',
    capabilities: ['dpop'],
    cause: HALF_A_BINDING,
    async run(stage) {
      await stage.refuses(REFUSED, await wrongSessionProofs(stage), await doublyBound(stage));
    },
  },
  {
    id: 'RS-DPOP-1.replayed',
    title: 'takes the DPoP proof of a token bound in both ways for one request only',
    capabilities: ['dpop'],
    cause:
      'The jti of the DPoP proof is not remembered, or no DPoP proof is looked at once one was verified on the connection, so that one serves several requests. Keep it for as long as the proof is accepted (RFC 9449 §11.1).',
    async run(stage) {
      const base = await doublyBound(stage);
      const token = await stage.mint({ jkt: stage.dpopKey });
      const proof = stage.dpopProof(token);
      // On a connection that the target may be about to end, a request has to be sent again, and the proof would be used up.
      const first = { on: await stage.connect() };
      const control = await stage.control(
        'a DPoP proof for the first time',
        { ...base, token, dpop: proof },
        first,
      );
      await stage.refusesOne(
        REFUSED,
        {
          what: 'the same DPoP proof again, with a Session-Binding Proof of this moment',
          change: { token, dpop: proof },
          differs: ['dpop.claims.jti'],
        },
        control,
        base,
        stage.persistent ? first : { on: await stage.connect() },
      );
      await stage.control('the same token with a fresh DPoP proof', { ...base, token });
    },
  },
  {
    id: 'RS-DPOP-1.later',
    title:
      'demands the DPoP proof again on a connection on which token and session proof were verified before',
    across: { http: AXES.http },
    needs: ['persistent-connection'],
    capabilities: ['dpop'],
    cause: REMEMBERED,
    async run(stage) {
      const doubly = await doublyBound(stage);
      const on = await stage.connect();
      const token = await stage.mint({ jkt: stage.dpopKey });
      const base: RequestPlan = { ...doubly, token, proof: stage.proof(on, token) };
      const control = await stage.control('both proofs', base, { on });
      for (const variation of [
        { what: 'the same token and session proof, without DPoP proof', change: { dpop: null } },
        byAnotherKey(stage),
        {
          what: 'the same token with a DPoP proof, without session proof',
          change: { proof: null },
          cause: DPOP_SUFFICES,
        },
      ])
        await stage.refusesOne(REFUSED, variation, control, base, { on });
      await stage.control('both proofs again', base, { on });
    },
  },
  {
    id: 'RS-DPOP-1.certificate',
    title: 'demands certificate and DPoP proof of a token that is bound to both, without a session binding',
    capabilities: ['dpop'],
    cause: EITHER_OR,
    async run(stage) {
      const [scheme] = await schemesFor(stage, KEY_AND_CERTIFICATE, { proof: null });
      if (scheme === undefined)
        return stage.notApplicable(
          'tokens that are bound to certificate and DPoP key alone are not served here',
        );
      const base: RequestPlan = { ...keyBound(stage, scheme, KEY_AND_CERTIFICATE), proof: null };
      await stage.refuses(
        REFUSED,
        [
          { what: 'no DPoP proof', change: { dpop: null } },
          byAnotherKey(stage),
          {
            what: 'mallory’s certificate, with a DPoP proof by alice’s key',
            connect: { identity: stage.mallory },
            change: { token: { boundTo: stage.alice } },
            differs: ['connection.certificate', 'token.claims.cnf.x5t#S256'],
          },
        ],
        base,
      );
    },
  },
  {
    id: 'RS-DPOP-1.key-alone',
    title: 'demands the DPoP proof of a token that is bound to a DPoP key alone',
    capabilities: ['dpop'],
    cause:
      'A token with cnf.jkt is served as a bearer token. Whoever has it may use it then (RFC 9449 §7.1, §7.2).',
    async run(stage) {
      const [scheme] = await schemesFor(stage, KEY_ALONE, { proof: null });
      if (scheme === undefined)
        return stage.notApplicable('tokens that are bound to a DPoP key alone are not served here');
      const other = SCHEMES.find((one) => one !== scheme) ?? scheme;
      await stage.refuses(
        REFUSED,
        [
          { what: 'no DPoP proof', change: { dpop: null } },
          { what: `no DPoP proof, scheme ${other}`, change: { dpop: null, ...under(other) } },
          byAnotherKey(stage),
          {
            what: 'a Session-Binding Proof instead of the DPoP proof',
            change: { dpop: null, proof: {} },
            differs: ['dpop', 'proof'],
          },
        ],
        { ...keyBound(stage, scheme, KEY_ALONE), proof: null },
      );
    },
  },
  {
    id: 'RS-DPOP-2',
    title: 'serves a token bound in both ways with both proofs, under the scheme DPoP or Bearer',
    across: { http: AXES.http },
    capabilities: ['dpop'],
    cause:
      'A token with tls_exp and jkt is refused although both bindings are met. The mechanisms can be combined (draft -06 §4.2): verify each of the two proofs, under either scheme.',
    async run(stage) {
      await stage.control();
      const taken = await schemesFor(stage);
      stage.holds(
        taken.length > 0,
        'a token bound in both ways, with both proofs: served under neither scheme',
      );
      stage.note(`tokens bound in both ways are taken under: ${taken.join(', ') || 'no scheme'} (AMB-32)`);
    },
  },
  {
    id: 'RS-DPOP-2.dropped',
    title: 'lets neither scheme drop one of the two bindings',
    across: { http: AXES.http },
    capabilities: ['dpop'],
    cause: BY_SCHEME,
    async run(stage) {
      const base = await doublyBound(stage);
      const usual = await stage.control('both proofs', base);
      const taken = await schemesFor(stage);
      for (const scheme of SCHEMES) {
        const isTaken = taken.includes(scheme);
        const way = keyBound(stage, scheme);
        const control = isTaken ? await stage.control(`both proofs, scheme ${scheme}`, way) : usual;
        const differs =
          control.description.get('request.authorization')?.startsWith(scheme) === true
            ? []
            : ['request.authorization'];
        for (const { what, change = {} } of MISSING)
          await stage.refusesOne(
            REFUSED,
            {
              what: `scheme ${scheme}, ${what}`,
              change,
              differs: [...differs, ...Object.keys(change)],
            },
            control,
            way,
          );
      }
    },
  },
]);
