import { publicKeyOf } from '../../harness/forge/keys.ts';
import { clientAssertion, dpopProof, workloadProof } from '../../harness/forge/other-jwts.ts';
import { tokenOf } from '../../harness/forge/token.ts';
import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { ProofPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** draft -06 §2.3, §4.2, RFC 8725 §2.8: proofs, access tokens, DPoP proofs and other JWTs do not stand in for each other. */

const ANOTHER_JWT =
  'A JWT that the client signed with the same key for another end passes as a proof. Demand typ tls-binding-proof+jwt and the claims ath and ekm (RFC 8725 §3.12).';
const PROOF_AS_TOKEN =
  'A JWT that the client signed itself passes as an access token. Accept only tokens by the issuer’s keys, with its issuer, this audience and typ at+jwt (RFC 9068 §4).';
const TOKEN_AS_PROOF =
  'An access token passes as a proof: the proof field is validated as if a token stood there. Verify a proof with the certificate’s key only, and demand its typ and claims.';
const DPOP_AS_PROOF =
  'A DPoP proof passes as a Session-Binding Proof: code for DPoP was reused and checks neither the type nor which key has signed. Demand typ tls-binding-proof+jwt and the certificate’s key.';
const DPOP_FIELD =
  'The proof is taken from the DPoP field. Take it from Session-Binding-Proof only: a DPoP field says nothing about a token that is not bound to a DPoP key.';

function header(...names: string[]): readonly string[] {
  return names.map((name) => `proof.header.${name}`);
}

function claims(...names: string[]): readonly string[] {
  return names.map((name) => `proof.claims.${name}`);
}

/** Another protocol's JWT as it is, by the rightful client's key, in the proof field. */
function foreign(what: string, token: Token, make: () => string, differs: readonly string[]): Variation {
  return { what, change: { token, proof: { compact: make } }, differs };
}

/** A right proof but for the type and what else makes it another protocol's JWT. */
function dressed(what: string, proof: ProofPlan): Variation {
  return { what, change: { proof } };
}

function soon(): number {
  return Math.floor(Date.now() / 1000) + 60;
}

/** What tells a proof from an access token, field by field. */
const TOKEN_IN_PROOF_FIELD = [
  ...header('typ', 'x5t#S256', 'kid'),
  ...claims('ath', 'ekm', 'iss', 'aud', 'sub', 'client_id', 'scope', 'exp', 'cnf', 'jti'),
  'proof.signature',
];
const PROOF_IN_TOKEN_FIELD = [
  ...['typ', 'x5t#S256', 'kid'].map((name) => `token.header.${name}`),
  ...['ath', 'ekm', 'iss', 'aud', 'sub', 'client_id', 'scope', 'exp', 'cnf.x5t#S256', 'cnf.tls_exp'].map(
    (name) => `token.claims.${name}`,
  ),
  'token.signature',
];

/** A token and a proof for it, on a connection of their own, since both have to be known before they are sent. */
async function exchangeable(stage: Stage) {
  if (stage.setting.credentials !== null)
    stage.notApplicable(
      'it needs a token whose content the suite knows, and the target takes only the one that it was given with',
    );
  const [connection, token] = await Promise.all([stage.connect(), stage.mint()]);
  return { on: connection, token, proofAsToken: tokenOf(stage.proof(connection, token), token) };
}

export const tokenConfusion = suite('resource-server', 'token-confusion', [
  {
    id: 'RS-SIG-4',
    title: 'takes no JWT for a proof that the client signed with the same key for another end',
    cause: ANOTHER_JWT,
    async run(stage) {
      const { alice: identity, setting } = stage;
      const { issuer, audience } = setting.issuer;
      const { on: connection, token, proofAsToken } = await exchangeable(stage);
      const assertion = () => clientAssertion({ identity, clientId: 'tsbt-client', audience: issuer });
      const workload = () => workloadProof({ identity, token: token.compact, audience });
      await stage.refuses(refused('invalid_proof'), [
        foreign('a client assertion', token, assertion, [
          ...header('typ'),
          ...claims('ath', 'ekm', 'iss', 'sub', 'aud', 'jti', 'exp'),
        ]),
        foreign('a workload proof', token, workload, [
          ...header('typ', 'x5t#S256'),
          ...claims('ekm', 'aud', 'jti', 'exp'),
        ]),
        dressed('a workload proof with ekm and x5t#S256', {
          header: { typ: 'wpt+jwt' },
          claims: { aud: audience, exp: soon() },
        }),
        dressed('an access token by the client itself, with ath and ekm', {
          header: { typ: 'at+jwt' },
          claims: { iss: issuer, aud: audience, sub: 'alice', exp: soon() },
        }),
        {
          what: 'a proof stands in the token’s field',
          on: connection,
          change: { token: proofAsToken },
          differs: PROOF_IN_TOKEN_FIELD,
          expect: refused('invalid_token'),
          cause: PROOF_AS_TOKEN,
        },
      ]);
    },
  },
  {
    id: 'RS-TOK-3',
    title: 'takes neither an access token for a proof nor a proof for an access token',
    async run(stage) {
      const [both, other, swapped] = await Promise.all([
        exchangeable(stage),
        exchangeable(stage),
        exchangeable(stage),
      ]);
      const token = await stage.mint();
      await stage.refuses(refused('invalid_token'), [
        {
          what: 'the access token stands in both fields',
          change: { token, proof: token.compact },
          differs: ['proof'],
          expect: refused('invalid_proof'),
          cause: TOKEN_AS_PROOF,
        },
        {
          what: 'the proof stands in both fields',
          on: both.on,
          change: { token: both.proofAsToken, proof: both.proofAsToken.compact },
          differs: [...PROOF_IN_TOKEN_FIELD, 'proof'],
          cause: PROOF_AS_TOKEN,
        },
        {
          what: 'a proof stands in the token’s field, with another proof made for it',
          on: other.on,
          change: { token: other.proofAsToken },
          differs: PROOF_IN_TOKEN_FIELD,
          cause: PROOF_AS_TOKEN,
        },
        {
          what: 'token and proof are swapped',
          on: swapped.on,
          change: { token: swapped.proofAsToken, proof: swapped.token.compact },
          differs: [...PROOF_IN_TOKEN_FIELD, ...TOKEN_IN_PROOF_FIELD],
          cause: PROOF_AS_TOKEN,
        },
      ]);
    },
  },
  {
    id: 'RS-DPOP-4',
    title: 'takes neither a DPoP proof for a Session-Binding Proof nor one from the DPoP field',
    cause: DPOP_AS_PROOF,
    async run(stage) {
      const { alice: identity, mallory } = stage;
      const token = await stage.mint();
      const request = stage.perRequest();
      const typ = 'dpop+jwt';
      const jwk = publicKeyOf(identity).export({ format: 'jwk' });
      const attackers = publicKeyOf(mallory).export({ format: 'jwk' });
      const inDpopField = (proof: string) => [['DPoP', proof]] as const;
      await stage.refuses(refused('invalid_proof'), [
        foreign('a DPoP proof', token, () => dpopProof({ identity, token: token.compact, ...request }), [
          ...header('typ', 'jwk', 'x5t#S256'),
          ...claims('ekm', 'jti', 'htm', 'htu'),
        ]),
        dressed('a DPoP proof with ekm and x5t#S256', { header: { typ, jwk }, claims: stage.perRequest() }),
        dressed('a DPoP proof with ekm and x5t#S256, by a DPoP key of its own', {
          header: { typ, jwk: attackers },
          claims: stage.perRequest(),
          signWith: mallory,
        }),
        {
          what: 'the right proof in the DPoP field',
          change: { carriage: inDpopField },
          differs: ['proof', 'request.field.dpop'],
          expect: refused('use_session_binding', 'invalid_proof'),
          cause: DPOP_FIELD,
        },
        {
          what: 'the right proof in the DPoP field, and the token under the DPoP scheme',
          change: {
            carriage: inDpopField,
            authorization: (compact) => [['Authorization', `DPoP ${compact}`]],
          },
          differs: ['proof', 'request.field.dpop', 'request.authorization'],
          expect: refused('401'),
          cause: DPOP_FIELD,
        },
      ]);
    },
  },
]);
