import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import {
  isSessionBound,
  seenConfirmation,
} from '../../harness/scenario/authorization-server/seen-confirmation.ts';
import { FLAGGED_CLIENTS, requestAs } from './flagged-clients.ts';

/** draft -06 §3.2, §7.2: what tls_session_bound_access_tokens of a client means for its tokens. */

const NOT_BOUND =
  'A client that is registered with tls_session_bound_access_tokens: true gets a token without cnf.tls_exp. The member holds for every access token of the client, whatever grant, scope or resource: decide where all of them are made.';
const LACKING =
  'The token of a client that is registered for session-bound tokens lacks a member of cnf, whatever the older member says: see AS-CNF-1.';
const LOWERED =
  'What a client is registered for can be lowered by a request, and so by whoever has stolen its credentials. Decide by the registration alone, and refuse where the token cannot be bound.';
const INVENTED =
  'A client that has not asked for session-bound tokens gets them, and cannot use them. The default is false; another member or an earlier token of the client does not change it.';

const TOKEN_TYPES = ['access_token', 'jwt'].map((type) => `urn:ietf:params:oauth:token-type:${type}`);

/** Parameters by which a request might try to have its token bound less. */
const LOWERING = [
  { tls_session_bound_access_tokens: 'false' },
  { tls_session_bound: 'false' },
  { session_bound: 'false' },
  { tls_client_certificate_bound_access_tokens: 'false' },
  { cnf: '{}' },
  { token_type: 'Bearer' },
  { requested_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
];

/** Judged: where a token was given, it is session-bound. */
async function judgeBound(
  stage: AuthorizationServerStage,
  what: string,
  answer: Answer,
  resource?: string,
): Promise<void> {
  const token = tokenOf(answer);
  if (token === null) stage.note(`${what}: no token (${answer.text})`);
  else
    stage.holds(
      isSessionBound(await seenConfirmation(stage, what, token, resource)),
      `${what}: the token is not session-bound`,
    );
}

export const clientMetadata = authorizationServerSuite('as-client-metadata', [
  {
    id: 'AS-REG-1',
    title: 'gives a client that is registered for it session-bound tokens only, whatever scope and resource',
    cause: NOT_BOUND,
    async run(stage) {
      const { audience, hop } = stage.registry;
      await stage.token();
      const requests = [
        { what: 'no scope, no resource' },
        { what: 'a scope', scope: 'tsbt.basic' },
        { what: 'two scopes', scope: 'tsbt.basic tsbt.scoped' },
        { what: 'a resource', resource: audience },
        { what: 'a scope and a resource', scope: 'tsbt.scoped', resource: audience },
        { what: 'another resource', resource: hop },
      ];
      for (const { what, ...form } of requests)
        await judgeBound(stage, what, await stage.requestToken(what, form), form.resource);
      for (const client of FLAGGED_CLIENTS) {
        const what = `a client known by ${client.knownBy}`;
        await judgeBound(stage, what, await requestAs(stage, what, client));
      }
    },
  },
  {
    id: 'AS-REG-1.exchange',
    title: 'gives a client that is registered for it session-bound tokens in a token exchange too',
    capabilities: ['token-exchange'],
    cause: NOT_BOUND,
    async run(stage) {
      const subject = await stage.token();
      let issued = 0;
      for (const requested_token_type of [undefined, ...TOKEN_TYPES])
        for (const resource of [undefined, stage.registry.audience]) {
          const what = `an exchange for ${requested_token_type ?? 'no type in particular'}${resource === undefined ? '' : ', with a resource'}`;
          const form = { requested_token_type, resource };
          const answer = await stage.requestExchange(what, subject, CLIENTS.bound, form);
          if (tokenOf(answer) !== null) issued += 1;
          await judgeBound(stage, what, answer);
        }
      if (issued === 0)
        stage.notApplicable('it does not exchange a token for the client that it was issued to');
    },
  },
  {
    id: 'AS-REG-2',
    title: 'binds no token to TLS sessions for a client that has not asked for it, or has said false',
    cause: INVENTED,
    async run(stage) {
      const { pki } = stage.setting;
      // A certificate of its own, so that no other scenario's tokens are remembered with it.
      const by = await stage.setting.issue(pki.trusted, {
        name: stage.identities.alice.name,
        keyType: 'P-256',
      });
      const bindsTokensOf = async (what: string, clientId: string): Promise<boolean> => {
        const token = await stage.token(what, {}, { by }, clientId);
        return isSessionBound(await seenConfirmation(stage, what, token));
      };
      const requests = [
        ['a client whose metadata says nothing of it', CLIENTS.plain],
        ['a client that says false', CLIENTS.unbound],
        ['a client that asks for certificate-bound tokens alone', CLIENTS.certificate],
        ['a client that says true', CLIENTS.bound],
        ['the client whose metadata says nothing of it, once more', CLIENTS.plain],
      ] as const;
      const bound: string[] = [];
      for (const [what, clientId] of requests)
        if ((await bindsTokensOf(what, clientId)) && clientId !== CLIENTS.bound) bound.push(what);
      if (bound.length === requests.length - 1)
        return stage.observe(
          'tokens of every client are session-bound, as a policy may have it (draft §3.2)',
        );
      for (const what of bound) stage.holds(false, `${what}: the token is session-bound, and others are not`);
    },
  },
  {
    id: 'AS-REG-4',
    title: 'lets no parameter and no other authentication lower what a client is registered for',
    cause: LOWERED,
    async run(stage) {
      const control = await seenConfirmation(stage, 'a session-bound token', await stage.token());
      stage.holds(isSessionBound(control), 'the right request yields no session-bound token', NOT_BOUND);
      for (const form of LOWERING) {
        const what = `a request with ${new URLSearchParams(form).toString()}`;
        await judgeBound(stage, what, await stage.requestToken(what, form));
      }
      const otherwise = FLAGGED_CLIENTS.filter(({ byCertificate }) => !byCertificate);
      for (const client of otherwise)
        for (const options of [{}, { by: null }]) {
          const what = `a client known by ${client.knownBy}, with${'by' in options ? 'out a' : ' its'} certificate`;
          await judgeBound(stage, what, await requestAs(stage, what, client, options));
        }
      const { token_endpoint: usual } = await stage.metadata();
      const url = URL.parse(String(usual));
      const path = url === null ? '' : `${url.pathname}${url.search}`;
      if (url?.origin !== stage.setting.issuer || path === (await stage.endpoint('token_endpoint'))) return;
      for (const client of otherwise) {
        const what = `the endpoint without mutual TLS, a client known by ${client.knownBy}`;
        await judgeBound(stage, what, await requestAs(stage, what, client, { by: null }, path));
      }
    },
  },
  {
    id: 'AS-REG-5',
    title: 'binds session-bound tokens to the certificate too, whatever the older member for that says',
    cause:
      'tls_client_certificate_bound_access_tokens decides whether x5t#S256 or tls_exp is set. A session-bound token has both, with the older member true, false or absent (AMB-33).',
    async run(stage) {
      await stage.token();
      for (const [what, clientId] of [
        ['both members true', CLIENTS.both],
        ['tls_client_certificate_bound_access_tokens: false', CLIENTS.contradictory],
      ] as const) {
        const answer = await stage.requestToken(what, {}, {}, clientId);
        const token = tokenOf(answer);
        if (token === null) stage.observe(`${what}: no token (${answer.text}), which the draft leaves open`);
        const cnf = token && (await seenConfirmation(stage, what, token));
        for (const member of cnf === null ? [] : ['x5t#S256', 'tls_exp'])
          stage.holds(
            Object.hasOwn(cnf ?? {}, member),
            `${what}: the token has no cnf.${member}`,
            // With both members true, the older one takes nothing away.
            clientId === CLIENTS.both ? LACKING : undefined,
          );
      }
    },
  },
  {
    id: 'AS-TYPE-1',
    title: 'says token_type Bearer of a session-bound token, as resource servers are sent it',
    cause:
      'Clients must not use a token of a type that they do not know (RFC 6749 §7.1), and the draft defines none: a session-bound token is presented as Bearer.',
    async run(stage) {
      const answers = [await stage.requestToken('client credentials')];
      const subject = await stage.token();
      if (stage.claims('token-exchange'))
        answers.push(await stage.requestExchange('an exchange', subject, CLIENTS.bound));
      for (const { json, text } of answers.filter((answer) => tokenOf(answer) !== null)) {
        const type = json['token_type'];
        stage.holds(
          typeof type === 'string' && type.toLowerCase() === 'bearer',
          `token_type is ${JSON.stringify(type)} (${text})`,
        );
      }
    },
  },
]);
