import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { confirmationOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import {
  ACCESS_TOKEN_TYPE,
  EVERY_SCOPE,
  JWT_TYPE,
  actedBy,
  boundToken,
  exchange,
  isBound,
  mustBeBound,
  neverExchanged,
  partiesOf,
  requireBound,
  seen,
  boundTokenForHop,
  unseen,
} from './exchange.ts';
import type { Exchanger } from './exchange.ts';

/** draft -06 §3.2, §4.6: what a token inherits from the tokens that it was exchanged for. */

const DROPPED =
  'The binding of the successor is decided by the exchanging client’s registration alone, or by the parameters of the request. Bind it whenever subject_token or actor_token is session-bound.';
const OTHER_CERTIFICATE =
  'x5t#S256 is not the unpadded base64url SHA-256 of the whole certificate (DER) of the exchanging client’s connection (RFC 8705 §3.1); see AS-CNF-3 for tokens that are not exchanged.';
const COPIED =
  'cnf is copied from a token of the request. Its successor is for the exchanging client: take the thumbprint of the certificate on this request’s connection.';

export const tokenExchange = authorizationServerSuite('as-token-exchange', [
  {
    id: 'AS-TX-1',
    title:
      'binds the successor of a session-bound token, whoever exchanges it and whatever the request names',
    capabilities: ['token-exchange'],
    cause: DROPPED,
    async run(stage) {
      const { audience, hop } = stage.registry;
      const { holder, plain, unbound, certificate, recipient } = partiesOf(stage);
      const cases = [
        { by: holder },
        { by: plain },
        { by: unbound },
        { by: certificate },
        { by: plain, naming: 'a narrower scope', form: { scope: 'tsbt.basic' } },
        { by: plain, naming: 'another resource', form: { resource: hop }, resource: hop },
        { by: plain, naming: 'an access token', form: { requested_token_type: ACCESS_TOKEN_TYPE } },
        { by: plain, naming: 'a JWT', form: { requested_token_type: JWT_TYPE } },
      ] as const;
      const successors: { readonly what: string; readonly token: IssuedToken; readonly resource: string }[] =
        [];
      const collect = async (
        from: IssuedToken,
        by: Exchanger,
        { naming = '', form = {}, resource = audience } = {},
      ) => {
        const what = `exchanged by ${by.who}${naming === '' ? '' : `, naming ${naming}`}`;
        const token = await exchange(stage, what, from, by, form);
        if (token !== null) successors.push({ what, token, resource });
      };
      // A token may be good for one exchange only.
      for (const { by, ...further } of cases) await collect(await boundToken(stage), by, further);
      const forHop = await boundTokenForHop(stage);
      if (forHop !== null) await collect(forHop, recipient);
      if (successors.length === 0) return neverExchanged(stage);
      let judged = 0;
      for (const { what, token, resource } of successors)
        judged += (await mustBeBound(stage, what, token, resource)) ? 1 : 0;
      if (judged === 0) unseen(stage);
    },
  },
  {
    id: 'AS-TX-2',
    title: 'binds the successor of an unbound token where the actor token is session-bound',
    capabilities: ['token-exchange'],
    cause: DROPPED,
    async run(stage) {
      const { plain } = partiesOf(stage);
      const unbound = (): Promise<IssuedToken> =>
        stage.token('an unbound token', EVERY_SCOPE, {}, CLIENTS.plain);
      const what = 'with a session-bound actor token';
      const actor = await boundToken(stage);
      const successor = await exchange(stage, what, await unbound(), plain, actedBy(actor));
      if (successor === null) {
        const form = actedBy(await unbound());
        const control = await exchange(stage, 'with an unbound one', await unbound(), plain, form);
        return stage.notApplicable(
          control === null
            ? 'it takes no actor tokens here'
            : 'it takes no actor token that was issued to another client',
        );
      }
      const claims = await seen(stage, successor);
      if (claims === null) return unseen(stage);
      if (isBound(claims)) return;
      const nonsense = actedBy({ compact: 'not-a-token-of-anybody' });
      if ((await exchange(stage, 'with a text for actor token', await unbound(), plain, nonsense)) !== null)
        return stage.notApplicable('it overlooks actor tokens');
      await mustBeBound(stage, what, successor);
    },
  },
  {
    id: 'AS-TX-3',
    title:
      'binds a successor to the certificate of the exchanging client, not to the one of the exchanged token',
    capabilities: ['token-exchange'],
    async run(stage) {
      const { identities } = stage;
      const { holder, recipient } = partiesOf(stage);
      const subject = await boundToken(stage);
      const forHop = await boundTokenForHop(stage);
      const actor = await stage.token(
        'a token of the recipient',
        EVERY_SCOPE,
        { by: recipient.by },
        recipient.client,
      );
      const renewed = { ...holder, who: 'its holder with a new certificate', by: identities.renewed };
      const cases = [
        { from: subject, exchanger: renewed },
        { from: forHop, exchanger: recipient },
        {
          from: forHop,
          exchanger: { ...recipient, who: 'its intended recipient with an actor token' },
          form: actedBy(actor),
        },
      ];
      let [issued, judged] = [0, 0];
      for (const { from, exchanger, form } of cases) {
        const what = `exchanged by ${exchanger.who}`;
        const successor = from && (await exchange(stage, what, from, exchanger, form));
        if (successor === null) continue;
        issued++;
        const cnf = confirmationOf(await seen(stage, successor));
        if (cnf === null) continue;
        judged++;
        stage.holds(
          cnf['x5t#S256'] === exchanger.by.thumbprint,
          `${what}: x5t#S256 is ${JSON.stringify(cnf['x5t#S256'])}${
            cnf['x5t#S256'] === identities.alice.thumbprint ? ', the exchanged token’s' : ''
          }, and the exchanging client’s certificate has ${exchanger.by.thumbprint}`,
          cnf['x5t#S256'] === identities.alice.thumbprint ? COPIED : OTHER_CERTIFICATE,
        );
      }
      if (judged > 0) return;
      if (issued > 0)
        stage.notApplicable('the successors of session-bound tokens are not bound, as far as can be seen');
      if ((await exchange(stage, 'exchanged by its holder', subject, holder)) === null) neverExchanged(stage);
      await requireBound(stage, subject);
      stage.notApplicable(
        'it exchanges a session-bound token for nobody but the holder of the certificate that it names',
      );
    },
  },
]);
