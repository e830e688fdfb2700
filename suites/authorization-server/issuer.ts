import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { forgeJwt } from '../../harness/forge/jwt.ts';
import type { JwtChange } from '../../harness/forge/jwt.ts';
import { publicKeyOf } from '../../harness/forge/keys.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { ReadableToken } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import {
  isSessionBound,
  seenConfirmation,
} from '../../harness/scenario/authorization-server/seen-confirmation.ts';

/** draft -06 §3.1, §3.2, §6: the authorization server's own keys, and what it says of itself. */

const MEMBER = 'tls_session_bound_access_tokens';
const PROOF_TYPE = 'tls-binding-proof+jwt';
const CLIENT_KEY =
  'A token that a client has signed with the key of its certificate is taken for one of this server. Verify access tokens with the server’s own keys alone, whatever header, certificate or registration says (RFC 8725 §3.12).';

/** The token with another signature, and the headers by which its key might get to be trusted. */
function forgeries(
  { full }: AuthorizationServerStage,
  { header, claims }: ReadableToken,
  identity: Identity,
): ReadonlyMap<string, string> {
  const { raw } = new X509Certificate(identity.certificate);
  const headers: readonly (readonly [how: string, header: JwtChange['header']])[] = [
    ['under the kid of the server', {}],
    ['with its key in jwk', { jwk: publicKeyOf(identity).export({ format: 'jwk' }) }],
    ['with its certificate in x5c', { x5c: [raw.toString('base64')] }],
    ['under its thumbprint', { kid: identity.thumbprint, 'x5t#S256': identity.thumbprint }],
    ['without kid', { kid: undefined }],
  ];
  return new Map(
    headers
      .slice(0, full ? headers.length : 3)
      .map(([how, change = {}]) => [
        how,
        forgeJwt({ header, claims, algorithm: 'ES256', key: identity }, { header: change }),
      ]),
  );
}

/** The keys that the server publishes for its tokens; empty where it publishes none. */
async function publishedKeys(stage: AuthorizationServerStage): Promise<readonly unknown[]> {
  const { jwks_uri: uri } = await stage.metadata();
  const url = URL.parse(String(uri));
  if (url?.origin !== stage.setting.issuer) return [];
  const { json } = await stage.send('its keys', 'GET', `${url.pathname}${url.search}`, {
    fields: [['Accept', 'application/jwk-set+json, application/json']],
  });
  return Array.isArray(json['keys']) ? json['keys'] : [];
}

function isKeyOf(identity: Identity, jwk: unknown): boolean {
  const { x, y } = publicKeyOf(identity).export({ format: 'jwk' });
  const named = Object.assign({ x: undefined, y: undefined }, jwk);
  return named.x === x && named.y === y;
}

export const issuer = authorizationServerSuite('as-issuer', [
  {
    id: 'AS-SEC-1',
    title: 'vouches for access tokens with keys of its own, never with those of client certificates',
    cause: CLIENT_KEY,
    async run(stage) {
      const { alice, own, resource } = stage.identities;
      const token = await stage.jwt();
      await stage.requestToken(
        'a client with a certificate that it has signed',
        {},
        { by: own },
        CLIENTS.own,
      );
      const keys = await publishedKeys(stage);
      // One finding: which clients are known already depends on what else goes on.
      const clients = Object.entries(stage.identities)
        .filter(([, identity]) => keys.some((jwk) => isKeyOf(identity, jwk)))
        .map(([name]) => name);
      stage.holds(
        clients.length === 0,
        `the published keys have those of client certificates: ${clients.join(', ')}`,
        'Keys of clients are published with those that tokens are verified with, so that a client can issue tokens. Keep the two apart.',
      );
      const { typ } = token.header;
      stage.holds(typ !== PROOF_TYPE, `the access token has typ ${PROOF_TYPE}, which is that of a proof`);
      if (
        String(typ)
          .toLowerCase()
          .replace(/^application\//, '') !== 'at+jwt'
      )
        stage.note(`typ of the access token is ${JSON.stringify(typ)}; RFC 9068 §2.1 has at+jwt`);
      await judgeIntrospection(stage, token, [alice, resource]);
      await judgeExchange(stage, token, alice);
    },
  },
  {
    id: 'AS-META-1',
    title: 'says nothing of session-bound tokens in its metadata that the tokens it issues belie',
    cause: `The draft defines no such metadata (AMB-35). A server that says ${MEMBER} of itself, as RFC 8705 §3.3 has it for certificate-bound tokens, says true where it issues them.`,
    async run(stage) {
      const { [MEMBER]: told } = await stage.metadata();
      if (told === undefined) return stage.note(`the metadata has no ${MEMBER}, and need not have it`);
      stage.holds(typeof told === 'boolean', `${MEMBER} of the metadata is ${JSON.stringify(told)}`);
      const cnf = await seenConfirmation(stage, 'a session-bound token', await stage.token());
      stage.holds(
        told === isSessionBound(cnf),
        `${MEMBER} of the metadata is ${JSON.stringify(told)}, and a flagged client’s token is ${isSessionBound(cnf) ? '' : 'not '}session-bound`,
      );
    },
  },
]);

/** Judged: introspection calls no token active that a client has signed. */
async function judgeIntrospection(
  stage: AuthorizationServerStage,
  token: ReadableToken,
  signers: readonly Identity[],
): Promise<void> {
  if (!stage.claims('introspection')) return;
  const control = await stage.introspect('introspection of the token as it was issued', token);
  if (control.json['active'] !== true)
    return stage.note(`introspection does not say that the token is active (${control.text}); see AS-INT-3`);
  for (const identity of signers)
    for (const [how, compact] of forgeries(stage, token, identity)) {
      const what = `introspection of the token signed by ${identity.name} ${how}`;
      const { json } = await stage.introspect(what, { ...token, compact });
      stage.holds(json['active'] !== true, `${what}: active`);
    }
}

/** Judged: no token is exchanged that the client has signed itself. */
async function judgeExchange(
  stage: AuthorizationServerStage,
  token: ReadableToken,
  identity: Identity,
): Promise<void> {
  if (!stage.claims('token-exchange')) return;
  const control = await stage.requestExchange('exchange of the token as it was issued', token, CLIENTS.bound);
  if (tokenOf(control) === null)
    return stage.note(`the token is not exchanged as it was issued either (${control.text})`);
  for (const [how, compact] of forgeries(stage, token, identity)) {
    const what = `exchange of the token signed by ${identity.name} ${how}`;
    stage.refuses(what, await stage.requestExchange(what, { ...token, compact }, CLIENTS.bound));
  }
}
