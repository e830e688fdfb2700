import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import { EVERY_SCOPE, actedBy, isError, partiesOf, rightExchange, takenActor } from './exchange.ts';

/** draft -06 §4.6: token exchange otherwise follows RFC 8693. */

const UNKNOWN_TYPE = 'urn:example:params:oauth:token-type:none';

const NEVER =
  'The exchange asks for something that no exchanging client has, such as a Session-Binding Proof with the exporter value of an earlier connection. The certificate on the request’s connection, or the token’s audience, shows who may exchange it (draft -06 §4.6.1).';
const ERRORS =
  'Answer a request that is not valid, or a token that is not, with status 400 and error invalid_request in a JSON object (RFC 8693 §2.2.2, RFC 6749 §5.2).';

/** The same token with one character of its signature, or of the opaque text, changed. It gives the right one away. */
function altered({ evidence }: AuthorizationServerStage, { compact }: IssuedToken): string {
  const at = compact.length - 8;
  const changed = `${compact.slice(0, at)}${compact[at] === 'A' ? 'B' : 'A'}${compact.slice(at + 1)}`;
  evidence.conceal(changed);
  return changed;
}

export const exchangeProtocol = authorizationServerSuite('as-exchange-protocol', [
  {
    id: 'AS-TX-4',
    title: 'exchanges a token for its holder or its intended recipient, and says what it issues',
    capabilities: ['token-exchange'],
    cause: NEVER,
    async run(stage) {
      const { holder, recipient } = partiesOf(stage);
      const { hop } = stage.registry;
      const cases = [
        { by: holder, form: EVERY_SCOPE },
        { by: recipient, form: { ...EVERY_SCOPE, resource: hop } },
      ];
      const refusals: string[] = [];
      for (const { by, form } of cases) {
        const given = tokenOf(await stage.requestToken(`a token for ${by.who} to exchange`, form));
        if (given === null) continue;
        const what = `exchanged by ${by.who}`;
        const answer = await stage.requestExchange(what, given, by.client, {}, { by: by.by });
        if (tokenOf(answer) === null) {
          refusals.push(`${what}: answered ${answer.text}`);
          continue;
        }
        for (const member of ['issued_token_type', 'token_type'])
          stage.holds(
            typeof answer.json[member] === 'string',
            `${what}: ${member} is ${JSON.stringify(answer.json[member])}, and must be a text (RFC 8693 §2.2.1)`,
            `${member} is required in the answer to a token exchange (RFC 8693 §2.2.1).`,
          );
        return;
      }
      if (refusals.length === 0) stage.inconclusive('no token was issued that could be exchanged');
      stage.holds(false, refusals.join('; '));
    },
  },
  {
    id: 'AS-TX-4.malformed',
    title: 'refuses an exchange that lacks a required parameter, or whose token is no token of its own',
    capabilities: ['token-exchange'],
    cause: ERRORS,
    async run(stage) {
      const { subject, by } = await rightExchange(stage);
      const cases = {
        'without subject_token_type': { subject_token_type: undefined },
        'without subject_token': { subject_token: undefined },
        'with a text that is no token': { subject_token: 'not-a-token-of-anybody' },
        'with an altered token': { subject_token: altered(stage, subject) },
      };
      for (const [what, form] of Object.entries(cases)) {
        const answer = await stage.requestExchange(what, subject, by.client, form, { by: by.by });
        isError(stage, what, answer, 'invalid_request');
      }
    },
  },
  {
    id: 'AS-TX-4.actor',
    title: 'refuses an actor token whose type is not said',
    capabilities: ['token-exchange'],
    cause: ERRORS,
    async run(stage) {
      const right = await rightExchange(stage);
      const { subject, by } = right;
      const actor = await takenActor(stage, right);
      const what = 'with an actor token without actor_token_type';
      const form = { ...actedBy(actor), actor_token_type: undefined };
      isError(stage, what, await stage.requestExchange(what, subject, by.client, form, { by: by.by }));
    },
  },
  {
    id: 'AS-TX-4.unknown-types',
    title: 'refuses an exchange that speaks of a token type which nobody knows',
    capabilities: ['token-exchange'],
    cause:
      'Compare subject_token_type and requested_token_type with the types that can be exchanged and issued, and refuse all others (RFC 8693 §2.1).',
    async run(stage) {
      const { subject, by } = await rightExchange(stage);
      for (const name of ['subject_token_type', 'requested_token_type']) {
        const what = `with ${name} ${UNKNOWN_TYPE}`;
        const form = { [name]: UNKNOWN_TYPE };
        isError(stage, what, await stage.requestExchange(what, subject, by.client, form, { by: by.by }));
      }
    },
  },
]);
