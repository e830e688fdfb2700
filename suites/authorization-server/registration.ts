import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer } from '../../harness/scenario/authorization-server/issued.ts';
import {
  isSessionBound,
  seenConfirmation,
} from '../../harness/scenario/authorization-server/seen-confirmation.ts';

/** draft -06 §3.2, §7.2: the client metadata in dynamic registration (RFC 7591, RFC 7592). */

const MEMBER = 'tls_session_bound_access_tokens';
const COERCED =
  'A value that is no boolean is taken for one, or dropped. The client believes that its tokens are bound; answer invalid_client_metadata (RFC 7591 §3.2.2).';
const NOT_KNOWN = `${MEMBER} is not known to registration, which leaves out what it does not know (RFC 7591 §2). Keep it with the other client metadata, and echo it.`;

/** Values that are not what the member has to be. `null` is left out: it may stand for an absent member (RFC 7592 §2.2). */
const NO_BOOLEANS: readonly unknown[] = ['true', 'false', 'yes', 1, 0, [], [true], {}];

/** Metadata of a client that alice's certificate authenticates. */
function metadata(stage: AuthorizationServerStage, further: object): object {
  return {
    client_name: 'tsbt',
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: `CN=${stage.identities.alice.name}`,
    grant_types: ['client_credentials'],
    response_types: [],
    ...further,
  };
}

/** Registers a client; one that cannot be registered leaves nothing to judge. */
async function registered(
  stage: AuthorizationServerStage,
  what: string,
  further: object,
): Promise<Answer['json']> {
  const { status, json, text } = await stage.register(what, metadata(stage, further));
  const refused = status !== 201 && status !== 200;
  return refused ? stage.inconclusive(`${what}: it is not registered (${text}); see RFC 7591 §3.2.1`) : json;
}

/** Whether a client that was registered gets session-bound tokens; `null` where it gets none. */
async function bindsTokensOf(
  stage: AuthorizationServerStage,
  what: string,
  client: Answer['json'],
): Promise<boolean | null> {
  const told = `${what}: a token of that client`;
  const token = tokenOf(await stage.requestToken(told, {}, {}, String(client['client_id'])));
  return token && isSessionBound(await seenConfirmation(stage, told, token));
}

/** The answer of the management endpoint of a client (RFC 7592 §2). */
function manage(
  stage: AuthorizationServerStage,
  what: string,
  method: 'GET' | 'PUT' | 'DELETE',
  { registration_client_uri: uri, registration_access_token: token }: Answer['json'],
  body?: object,
): Promise<Answer> {
  const url = URL.parse(String(uri));
  if (url === null || typeof token !== 'string')
    return stage.notApplicable('registered clients cannot be managed (RFC 7592 §3)');
  return stage.send(what, method, `${url.pathname}${url.search}`, {
    fields: [
      ['Authorization', `Bearer ${token}`],
      ...(body === undefined ? [] : [['Content-Type', 'application/json'] as const]),
    ],
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

export const registration = authorizationServerSuite('as-registration', [
  {
    id: 'AS-REG-3',
    title: `registers a client only with a boolean for ${MEMBER}`,
    capabilities: ['registration'],
    cause: COERCED,
    async run(stage) {
      for (const value of [true, false]) {
        const what = `a client with ${MEMBER}: ${value}`;
        const { [MEMBER]: echoed } = await registered(stage, what, { [MEMBER]: value });
        stage.holds(
          echoed === value || (!value && echoed === undefined),
          `${what}: the response says ${JSON.stringify(echoed)}`,
          NOT_KNOWN,
        );
      }
      for (const value of NO_BOOLEANS) {
        const what = `a client with ${MEMBER}: ${JSON.stringify(value)}`;
        const answer = await stage.register(what, metadata(stage, { [MEMBER]: value }));
        if (answer.status !== 200 && answer.status !== 201) stage.refuses(what, answer);
        else if ((await bindsTokensOf(stage, what, answer.json)) ?? answer.json[MEMBER] === true)
          stage.observe(`${what}: registered, and taken for true`);
        else stage.holds(false, `${what}: registered, and taken for false`);
      }
    },
  },
  {
    id: 'AS-REG-6',
    title: `keeps ${MEMBER} with a registered client, until an update leaves it out`,
    capabilities: ['registration'],
    cause: NOT_KNOWN,
    async run(stage) {
      const client = await registered(stage, 'a client', { [MEMBER]: true });
      const { status, json, text } = await manage(stage, 'it is read', 'GET', client);
      if (status !== 200)
        return stage.notApplicable(`registered clients cannot be read (${text}; RFC 7592 §2.1)`);
      stage.holds(json[MEMBER] === true, `read: ${MEMBER} is ${JSON.stringify(json[MEMBER])}`);
      const managed = { ...client, ...json };
      const replacements = [
        ['an update that repeats the member', { [MEMBER]: true }, true],
        ['an update that leaves the member out', {}, false],
      ] as const;
      for (const [what, further, expected] of replacements) {
        const { client_id, client_secret } = managed;
        const body = metadata(stage, {
          client_id,
          ...(client_secret !== undefined && { client_secret }),
          ...further,
        });
        const updated = await manage(stage, what, 'PUT', managed, body);
        if (updated.status !== 200) {
          stage.note(`${what}: ${updated.text}, so updates are not judged (RFC 7592 §2.2)`);
          break;
        }
        Object.assign(managed, updated.json);
        const bound = await bindsTokensOf(stage, what, managed);
        stage.holds(
          bound === null || bound === expected,
          `${what}: its tokens are ${bound === true ? '' : 'not '}session-bound`,
          'An update replaces the whole metadata; what it leaves out has its default again, which is false (RFC 7592 §2.2).',
        );
      }
      await manage(stage, 'it is removed', 'DELETE', managed);
    },
  },
]);
