import { thumbprint } from '../../harness/forge/read.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import { parametersOf } from '../../harness/scenario/servers-behind.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Token } from '../../harness/forge/token.ts';
import type { UpstreamRequest } from '../../harness/counterpart/resource-server/contract.ts';

/** draft -06 §3.1 step 1, §4.6: how a client asks for a token. Of all clients, the contract shows B's token requests. */

const NO_CERTIFICATE =
  'The token request goes out over another HTTP client than the requests to the next server, and that one has no certificate. Whatever the authorization server issues then cannot be bound to this client (draft -06 §3.1 step 1).';
const NOT_AS_IN_RFC_8693 =
  'Send grant_type, subject_token and subject_token_type as RFC 8693 §2.1 has them, each once, in the body of a POST; subject_token is the text of the token and nothing else.';

const TOKEN_TYPES = ['access_token', 'jwt'].map((type) => `urn:ietf:params:oauth:token-type:${type}`);
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const FORM = 'application/x-www-form-urlencoded';

/** What the authorization server was asked for when the right request was served. */
async function asked(
  stage: Stage,
): Promise<{ readonly token: Token; readonly requests: readonly UpstreamRequest[] }> {
  const { tokenEndpoint } = stage.behind;
  const before = tokenEndpoint.requests.length;
  const { token } = await stage.control();
  const requests = tokenEndpoint.requests.slice(before);
  return token === null || requests.length === 0
    ? stage.notApplicable('it asks the authorization server for no token')
    : { token, requests };
}

export const tokenRequest = suite('intermediary', 'token-request', [
  {
    id: 'CL-AS-1',
    title: 'presents its own certificate to the authorization server where it asks for a session-bound token',
    cause: NO_CERTIFICATE,
    async run(stage) {
      const { requests } = await asked(stage);
      const { identity } = stage.behind;
      for (const { connection } of requests) {
        const [own] = connection.clientChain;
        stage.holds(own !== undefined, 'the token request came over a connection without client certificate');
        if (own !== undefined && thumbprint(own.raw) !== identity.thumbprint)
          stage.holds(
            false,
            `the token request came with another certificate than the one of TSBT_UPSTREAM_CERT_FILE: ${own.subject}`,
          );
      }
    },
  },
  {
    id: 'CL-AS-2',
    title: 'exchanges the inbound token as RFC 8693 has it: its text and its type, each once, in a form',
    cause: NOT_AS_IN_RFC_8693,
    async run(stage) {
      const { token, requests } = await asked(stage);
      for (const request of requests) {
        const parameters = parametersOf(request);
        const type = request.fields.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
        stage.holds(request.method === 'POST', `the token request is a ${request.method}, not a POST`);
        stage.holds(
          type.toLowerCase().split(';')[0]?.trim() === FORM,
          `the token request has Content-Type ${JSON.stringify(type)}, not ${FORM}`,
        );
        for (const name of new Set(parameters.keys()))
          stage.holds(
            parameters.getAll(name).length === 1 || name === 'resource' || name === 'audience',
            `${name} is sent ${parameters.getAll(name).length} times`,
          );
        const grant = parameters.get('grant_type');
        stage.holds(grant === TOKEN_EXCHANGE, `grant_type is ${JSON.stringify(grant)}`);
        const subject = parameters.get('subject_token');
        stage.holds(
          subject === token.compact,
          `subject_token is ${subject === null ? 'missing' : 'not the text of the inbound token'}`,
        );
        const subjectType = parameters.get('subject_token_type');
        stage.holds(
          TOKEN_TYPES.includes(subjectType ?? ''),
          `subject_token_type is ${JSON.stringify(subjectType)}, not one of ${TOKEN_TYPES.join(', ')}`,
        );
        stage.holds(
          parameters.has('actor_token') === parameters.has('actor_token_type'),
          'of actor_token and actor_token_type one is sent without the other (RFC 8693 §2.1)',
        );
      }
    },
  },
]);
