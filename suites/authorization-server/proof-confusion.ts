import { forgeJwt } from '../../harness/forge/jwt.ts';
import type { JwtChange } from '../../harness/forge/jwt.ts';
import { clientAssertion } from '../../harness/forge/other-jwts.ts';
import { forgeProof } from '../../harness/forge/proof.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import { ACCESS_TOKEN_TYPE, EVERY_SCOPE, JWT_TYPE, actedBy, rightExchange, takenActor } from './exchange.ts';

/** draft -06 §2.3, §4.6; RFC 8725 §2.8, §3.11: what a client signs with its TLS key is no token and no assertion. */

const CONFUSED =
  'A JWT is taken for a token because a client’s key verifies it. Verify tokens with the keys of this server alone, and compare typ, iss and aud (RFC 9068 §4, RFC 8725 §3.11).';
const NO_ASSERTION =
  'A Session-Binding Proof authenticates the client: its signature is verified, and not its claims or typ. An assertion has iss, sub, aud and exp (RFC 7523 §3), and no JWT that calls itself a proof is one.';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Makes proofs for a connection of alice's, as she sends them to a resource server, or with more in them. */
async function proofs(
  stage: AuthorizationServerStage,
  { compact }: IssuedToken,
): Promise<(change?: JwtChange) => string> {
  const ekm = (await stage.connect()).exporter();
  return (change) => forgeProof({ token: compact, ekm, identity: stage.identities.alice }, change);
}

/** Claims of an access token of alice's (RFC 9068 §2.2). */
function tokenClaims({ setting, registry, identities }: AuthorizationServerStage) {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: setting.issuer,
    sub: CLIENTS.bound,
    client_id: CLIENTS.bound,
    aud: registry.audience,
    iat,
    exp: iat + 300,
    jti: crypto.randomUUID(),
    ...EVERY_SCOPE,
    cnf: { 'x5t#S256': identities.alice.thumbprint },
  };
}

/** JWTs that alice signs with the key of her certificate, none of which is a token of the authorization server. */
async function impostors(stage: AuthorizationServerStage, token: IssuedToken) {
  const claims = tokenClaims(stage);
  const proof = await proofs(stage, token);
  return {
    'a Session-Binding Proof': proof(),
    'a Session-Binding Proof with the claims of an access token': proof({ claims }),
    'an access token that the client signed itself': forgeJwt({
      header: { ...token.header, typ: 'at+jwt', alg: undefined },
      claims,
      algorithm: 'ES256',
      key: stage.identities.alice,
    }),
  };
}

/** Claims of an assertion that the authorization server takes from `tsbt-key`; it may go by either name of itself. */
async function acceptedAssertion(
  stage: AuthorizationServerStage,
): Promise<{ readonly audience: string; readonly token: IssuedToken }> {
  const { token_endpoint } = await stage.metadata();
  for (const audience of [stage.setting.issuer, String(token_endpoint)]) {
    const assertion = clientAssertion({ identity: stage.identities.alice, clientId: CLIENTS.key, audience });
    stage.evidence.conceal(assertion);
    const form = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
    const answer = await stage.requestToken(
      'an assertion as it must be',
      form,
      { part: 'control' },
      CLIENTS.key,
    );
    const token = tokenOf(answer);
    if (token !== null) return { audience, token };
  }
  return stage.notApplicable('it authenticates no client by an assertion (private_key_jwt)');
}

export const proofConfusion = authorizationServerSuite('as-proof-confusion', [
  {
    id: 'AS-TX-7',
    title: 'exchanges no JWT that the client signed with the key of its certificate, such as a proof',
    capabilities: ['token-exchange'],
    cause: CONFUSED,
    async run(stage) {
      const { subject, by } = await rightExchange(stage);
      for (const [what, compact] of Object.entries(await impostors(stage, subject))) {
        for (const type of [ACCESS_TOKEN_TYPE, JWT_TYPE]) {
          const form = { subject_token: compact, subject_token_type: type };
          const how = `${what}, called ${type === JWT_TYPE ? 'a JWT' : 'an access token'}`;
          const answer = await stage.requestExchange(how, subject, by.client, form, { by: by.by });
          stage.refuses(how, answer);
        }
      }
    },
  },
  {
    id: 'AS-TX-7.actor',
    title: 'takes no JWT for an actor token that the client signed with the key of its certificate',
    capabilities: ['token-exchange'],
    cause: CONFUSED,
    async run(stage) {
      const right = await rightExchange(stage);
      const { subject, by } = right;
      const actor = await takenActor(stage, right);
      for (const [what, compact] of Object.entries(await impostors(stage, actor))) {
        const form = actedBy({ compact });
        const how = `${what} for actor_token`;
        stage.refuses(how, await stage.requestExchange(how, subject, by.client, form, { by: by.by }));
      }
    },
  },
  {
    id: 'AS-TX-7.assertion',
    title: 'takes a Session-Binding Proof neither for a client assertion nor for an authorization grant',
    cause: NO_ASSERTION,
    async run(stage) {
      const { token } = await acceptedAssertion(stage);
      await stage.token('the client of the grant, with client credentials');
      const proof = (await proofs(stage, token))();
      const assertion = { client_assertion_type: ASSERTION_TYPE, client_assertion: proof };
      const grant = { grant_type: JWT_BEARER, assertion: proof };
      stage.refuses(
        'a proof as client assertion',
        await stage.requestToken('a proof as client assertion', assertion, {}, CLIENTS.key),
      );
      stage.refuses('a proof as grant', await stage.requestToken('a proof as grant', grant));
    },
  },
  {
    id: 'AS-TX-7.typed',
    title: 'takes no assertion for one whose typ calls it a Session-Binding Proof',
    cause: NO_ASSERTION,
    async run(stage) {
      const { audience, token } = await acceptedAssertion(stage);
      const iat = Math.floor(Date.now() / 1000);
      const claims = { iss: CLIENTS.key, sub: CLIENTS.key, aud: audience, exp: iat + 60 };
      const what = 'a proof with all claims of an assertion';
      const proof = await proofs(stage, token);
      const client_assertion = proof({ claims: { ...claims, jti: crypto.randomUUID() } });
      const form = { client_assertion_type: ASSERTION_TYPE, client_assertion };
      stage.refuses(what, await stage.requestToken(what, form, {}, CLIENTS.key));
    },
  },
]);
