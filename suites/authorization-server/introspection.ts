import { readJwt } from '../../harness/forge/read.ts';
import { EXPORTER_LABEL } from '../../harness/forge/token.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { confirmationOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import { isSessionBound } from '../../harness/scenario/authorization-server/seen-confirmation.ts';

/** draft -06 §2.4, §3.4: what a resource server learns of a token by introspection (RFC 7662). */

const INCOMPLETE =
  'A resource server that knows the token by introspection alone cannot tell what it is bound to. Put cnf into the response as it is in the token: x5t#S256 and tls_exp (RFC 8705 §3.2).';
const SIGNED = 'application/token-introspection+jwt';
const MEMBERS = ['x5t#S256', 'tls_exp'] as const;

/** Judged: an introspection response has the two members, as the token has them where that can be read. */
function judgeConfirmation(
  stage: AuthorizationServerStage,
  what: string,
  response: Readonly<Record<string, unknown>>,
  token: IssuedToken,
): void {
  const cnf = confirmationOf(response);
  const inToken = token.claims && confirmationOf(token.claims);
  for (const member of MEMBERS) {
    const told = cnf?.[member];
    stage.holds(told !== undefined, `${what}: there is no cnf.${member}`);
    if (told !== undefined && inToken !== null)
      stage.holds(
        told === inToken[member],
        `${what}: cnf.${member} is ${JSON.stringify(told)}, and ${JSON.stringify(inToken[member])} in the token`,
      );
  }
}

/** What introspection says of a token that is active; where it does not say that, nothing can be judged. */
async function introspected(
  stage: AuthorizationServerStage,
  what: string,
  token: IssuedToken,
): Promise<Readonly<Record<string, unknown>>> {
  const { json, text } = await stage.introspect(what, token);
  if (json['active'] === true) return json;
  return token.claims !== null && stage.claims('opaque-tokens')
    ? stage.notApplicable(`it introspects no JWTs (${text}); for opaque tokens see AS-INT-3 and AS-INT-4`)
    : stage.inconclusive(`${what}: introspection does not say that it is active (${text}); see AS-INT-3`);
}

export const introspection = authorizationServerSuite('as-introspection', [
  {
    id: 'AS-INT-1',
    title: 'tells cnf with x5t#S256 and tls_exp in the introspection of a session-bound token',
    capabilities: ['introspection'],
    cause: INCOMPLETE,
    async run(stage) {
      const token = await stage.token();
      judgeConfirmation(stage, 'introspection', await introspected(stage, 'its introspection', token), token);
    },
  },
  {
    id: 'AS-INT-1.signed',
    title: 'tells the same cnf in a signed introspection response, where it offers them',
    capabilities: ['introspection'],
    cause: INCOMPLETE,
    async run(stage) {
      const { introspection_signing_alg_values_supported: offered } = await stage.metadata();
      if (offered === undefined)
        return stage.notApplicable('its metadata offers no signed introspection (RFC 9701)');
      const token = await stage.token();
      await introspected(stage, 'its introspection', token);
      const { outcome, text } = await stage.introspect('its introspection, signed', token, {
        fields: [['Accept', SIGNED]],
      });
      const { claims } = readJwt(outcome.type === 'response' ? outcome.body.toString('latin1') : '');
      const response = Object.entries(claims ?? {}).find(([name]) => name === 'token_introspection')?.[1];
      if (typeof response !== 'object' || response === null)
        return stage.notApplicable(`it does not sign this client’s introspection responses (${text})`);
      judgeConfirmation(stage, 'signed introspection', { ...response }, token);
    },
  },
  {
    id: 'AS-INT-2',
    title: 'invents no tls_exp in the introspection of a token that is not session-bound',
    capabilities: ['introspection'],
    cause:
      'tls_exp is added to every introspection response. A resource server then asks for proofs of clients that cannot make any; tell what the token has (AMB-34).',
    async run(stage) {
      const clients = [CLIENTS.plain, CLIENTS.unbound, CLIENTS.certificate];
      for (const clientId of clients) {
        const what = `a token of ${clientId}`;
        const token = await stage.token(what, {}, {}, clientId);
        const told = confirmationOf(await introspected(stage, `${what}, introspected`, token));
        if (told === null || !isSessionBound(told)) continue;
        if (token.claims === null)
          stage.observe(
            `${what} is opaque, and called session-bound: whether by a policy is not seen (draft §3.2)`,
          );
        else
          stage.holds(
            isSessionBound(confirmationOf(token.claims) ?? {}),
            `${what} has no tls_exp, and its introspection tells ${JSON.stringify(told['tls_exp'])}`,
          );
      }
    },
  },
  {
    id: 'AS-INT-3',
    title:
      'introspects tokens for a resource server with another certificate, and tells nothing of inactive ones',
    capabilities: ['introspection'],
    cause:
      'The certificate of whoever introspects is held against cnf, or a token is described that is not active. The caller is the resource server, which has a certificate of its own; of an inactive token only active: false is told (RFC 7662 §2.2).',
    async run(stage) {
      const resource = stage.claims('opaque-tokens')
        ? stage.registry.opaqueAudience
        : stage.registry.audience;
      const token = await stage.token('a session-bound token', { resource });
      const ask = (what: string, asked: IssuedToken) => stage.introspect(what, asked, {}, resource);
      const before = await ask('the resource server introspects it', token);
      stage.holds(
        before.json['active'] === true,
        `the resource server, with its own certificate, is told ${JSON.stringify(before.json['active'])} (${before.text})`,
      );
      const inactive = [
        { what: 'a text that is no token', token: { ...token, compact: 'tsbt-no-token', claims: null } },
        { what: 'the token with another ending', token: { ...token, compact: altered(token.compact) } },
      ];
      if (await revoke(stage, token)) inactive.push({ what: 'the token after its revocation', token });
      for (const { what, token: asked } of inactive) {
        const { json, status, text } = await ask(what, asked);
        if (status !== 200) stage.observe(`${what}: answered ${text} (RFC 7662 §2.2 has active: false)`);
        const told = Object.keys(json).filter(
          (name) => name === 'cnf' || (name === 'active' && json[name] !== false),
        );
        if (asked === token && token.claims !== null && json['active'] === true)
          stage.observe(
            `${what}: still active, as far as introspection tells; it is a JWT, which may not be revocable`,
          );
        else stage.holds(told.length === 0, `${what}: introspection tells ${told.join(' and ')}`);
      }
    },
  },
  {
    id: 'AS-INT-4',
    title: 'binds opaque tokens too, so that a resource server learns all of it by introspection alone',
    capabilities: ['introspection', 'opaque-tokens'],
    cause: INCOMPLETE,
    async run(stage) {
      const { opaqueAudience: resource, identities } = stage.registry;
      const token = await stage.token('an opaque token', { resource });
      if (token.claims !== null)
        return stage.inconclusive(
          `the access token for ${resource} is a JWT, though opaque-tokens is claimed`,
        );
      const { json, text } = await stage.introspect('its introspection', token, {}, resource);
      stage.holds(json['active'] === true, `introspection does not say that it is active (${text})`);
      const cnf = confirmationOf(json);
      const expected = { 'x5t#S256': identities.alice.thumbprint, tls_exp: EXPORTER_LABEL };
      for (const member of MEMBERS)
        stage.holds(
          cnf?.[member] === expected[member],
          `cnf.${member} is ${JSON.stringify(cnf?.[member])}, not ${expected[member]}`,
        );
    },
  },
]);

/** A token that differs from this one in a character before its end. */
function altered(compact: string): string {
  const at = compact.length - 6;
  return `${compact.slice(0, at)}${compact[at] === 'A' ? 'B' : 'A'}${compact.slice(at + 1)}`;
}

/** Revokes a token, where the server says that it can (RFC 7009 §2). */
async function revoke(stage: AuthorizationServerStage, { compact }: IssuedToken): Promise<boolean> {
  const { revocation_endpoint: endpoint } = await stage.metadata();
  if (endpoint === undefined) return false;
  const { status, text } = await stage.post('alice revokes it', 'revocation_endpoint', {
    token: compact,
    token_type_hint: 'access_token',
    client_id: CLIENTS.bound,
  });
  if (status !== 200) stage.note(`revocation: ${text}, so no revoked token is tried`);
  return status === 200;
}
