import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type {
  AuthorizationServerStage,
  Form,
  RequestOptions,
} from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import {
  EVERY_SCOPE,
  JWT_TYPE,
  actedBy,
  exchange,
  neverExchanged,
  partiesOf,
  tokenForHop,
} from './exchange.ts';
import type { Exchanger } from './exchange.ts';
import { certificateFields } from './forwarded-certificate.ts';
import { Attack, actsFor, capturedProof, gains, steal, theftOf, tokenOfIts } from './theft.ts';
import type { Thief } from './theft.ts';

/** draft -06 §4.6.1 and the threat T6 that is announced for -07: a stolen token is worth nothing in an exchange. */

const ANYBODY =
  'Whoever authenticates may exchange a session-bound token. Compare its x5t#S256 with the certificate of the request’s own connection, or its audience with the client that asks; refuse everybody else (draft -06 §4.6.1).';
const THIEF = 'A registered client with a valid certificate of its own';
const TOLD = 'Introspection answers every client. Tell of a token only whom it is for (RFC 7662 §2.2, §4).';

/** A resource server that the token is not for. */
function otherRecipient(stage: AuthorizationServerStage, owner: Exchanger): Exchanger {
  const { registry, identities } = stage;
  const { recipient } = partiesOf(stage);
  return owner.client === recipient.client
    ? { who: 'another resource server', client: registry.audience, by: identities.resource }
    : { ...recipient, who: 'another resource server' };
}

export const stolenTokens = authorizationServerSuite('as-stolen-tokens', [
  {
    id: 'AS-T6-1',
    title:
      'withstands T6: a stolen session-bound token has no successor for who neither holds its key nor is its recipient',
    capabilities: ['token-exchange'],
    cause: { attack: ANYBODY },
    async run(stage) {
      const { mallory } = partiesOf(stage);
      const theft = await steal(stage);
      const { loot, owner } = theft;
      const { client } = owner;
      const own = await tokenOfIts(stage, mallory, EVERY_SCOPE);
      const impersonator = { client, by: mallory.by };
      const forwarding = { fields: certificateFields(owner.by) };
      const capturing = { fields: await capturedProof(stage, theft) };
      const attempts: readonly (readonly [string, Thief, Form?, RequestOptions?])[] = [
        ['as a client of its own', mallory],
        ['the same, calling it a JWT', mallory, { subject_token_type: JWT_TYPE }],
        ['with the captured proof in Session-Binding-Proof', mallory, {}, capturing],
        ['with the owner’s certificate in forwarding fields', mallory, {}, forwarding],
        ['with a token of its own as actor token', mallory, own === null ? {} : actedBy(own)],
        ['as a resource server that it is not for', otherRecipient(stage, owner)],
        ['by the owner’s client_id, with its own certificate', impersonator],
        ['the same, with the owner’s certificate in forwarding fields', impersonator, {}, forwarding],
        ['by the owner’s client_id, without a certificate', { client, by: null }],
        [
          'by the owner’s client_id, with a certificate of that name by an unknown authority',
          { client, by: stage.identities.stranger },
        ],
      ];
      const attack = new Attack(stage, theft);
      for (const attempt of attempts) await attack.exchange(...attempt);
      if (own !== null) {
        const what = 'as actor token beside a subject token of its own';
        const form = { subject_token: own.compact, ...actedBy(loot) };
        const answer = await stage.requestExchange(what, own, mallory.client, form, { by: mallory.by });
        attack.came(what, answer, await actsFor(stage, answer, theft));
      }
      attack.tell(THIEF);
      await attack.ownerGoesOn('after the attack');
    },
  },
  {
    id: 'AS-T6-1.secret',
    title: 'withstands T6 where the thief has the secret of the owner’s client too, and not its key',
    capabilities: ['token-exchange'],
    cause: {
      attack: `${ANYBODY} Client authentication by a secret does not show that the key is there.`,
    },
    async run(stage) {
      const { alice, mallory, stranger } = stage.identities;
      const credentials = Buffer.from(`${CLIENTS.secret}:${stage.registry.secret}`).toString('base64');
      stage.evidence.conceal(credentials);
      const fields = [['Authorization', `Basic ${credentials}`]] as const;
      const form = { client_id: undefined };
      const issue = async () =>
        tokenOf(
          await stage.requestToken(
            'a token of a client with a secret',
            { ...EVERY_SCOPE, ...form },
            { fields },
          ),
        );
      const first = await issue();
      if (first === null)
        return stage.notApplicable(
          'it gives no session-bound token to a client with a secret (client_secret_basic)',
        );
      const owner = { who: 'its holder', client: CLIENTS.secret, by: alice };
      if ((await exchange(stage, 'by its holder', first, owner, form, { fields })) === null)
        return neverExchanged(stage);
      const loot = (await issue()) ?? neverExchanged(stage);
      const theft = await theftOf(stage, loot, owner);
      const attack = new Attack(stage, { ...theft, credentials: { form, fields } });
      const { client } = owner;
      const attempts = [
        ['with the secret and a certificate of its own', mallory],
        ['with the secret, without a certificate', null],
        ['with the secret and a certificate of the owner’s name by an unknown authority', stranger],
      ] as const;
      for (const [what, by] of attempts) await attack.exchange(what, { client, by }, form, { fields });
      attack.tell(THIEF, ', and the secret of the client that it was issued to');
      await attack.ownerGoesOn('after the attack');
    },
  },
  {
    id: 'AS-T6-1.opaque',
    title: 'withstands T6 with an opaque token as with a JWT',
    capabilities: ['token-exchange', 'opaque-tokens'],
    cause: { attack: ANYBODY },
    async run(stage) {
      const { mallory, recipient } = partiesOf(stage);
      const theft = await steal(stage, stage.registry.opaqueAudience);
      const attack = new Attack(stage, theft);
      await attack.exchange('as a client of its own', mallory);
      await attack.exchange('as a resource server that it is not for', recipient);
      await attack.exchange('by the owner’s client_id, with its own certificate', {
        client: theft.owner.client,
        by: mallory.by,
      });
      attack.tell(THIEF);
      await attack.ownerGoesOn('after the attack');
    },
  },
  {
    id: 'AS-T6-2',
    title: 'exchanges a session-bound token for no resource server but the one that it is for',
    capabilities: ['token-exchange'],
    cause: ANYBODY,
    async run(stage) {
      const { recipient } = partiesOf(stage);
      const forHop = await tokenForHop(stage);
      const successor =
        forHop && (await exchange(stage, 'by its recipient', forHop, recipient, {}, { part: 'control' }));
      const { loot, owner } = await steal(stage);
      const another = otherRecipient(stage, owner);
      const what = 'by a resource server that the token is not for';
      const answer = await stage.requestExchange(what, loot, another.client, {}, { by: another.by });
      stage.refuses(what, answer);
      if (forHop === null) stage.note('no token is issued for the resource server that is a client too');
      else if (successor === null)
        stage.observe(
          'a session-bound token is exchanged for its holder alone, not for its recipient: a chain ends at its first hop',
        );
    },
  },
  {
    id: 'AS-T6-3',
    title:
      'leaves a thief with nothing: no part of an answer, and nothing remembered from the owner’s exchange',
    capabilities: ['token-exchange'],
    cause: { attack: ANYBODY },
    async run(stage) {
      const { mallory } = partiesOf(stage);
      const theft = await steal(stage);
      const { loot } = theft;
      const attack = new Attack(stage, theft);
      await attack.exchange('before the owner exchanges it', mallory);
      await attack.ownerGoesOn('between the attempts');
      await attack.exchange('after the owner has exchanged it', mallory);
      const again = 'as a refresh token';
      const form = { grant_type: 'refresh_token', client_id: mallory.client, refresh_token: loot.compact };
      const answer = await stage.post(again, 'token_endpoint', form, { by: mallory.by });
      attack.came(again, answer, gains(answer, loot));
      attack.tell(THIEF);
    },
  },
  {
    id: 'AS-T6-3.introspection',
    title: 'tells nobody of a stolen token but whom it is for',
    capabilities: ['introspection'],
    cause: TOLD,
    async run(stage) {
      const { mallory } = partiesOf(stage);
      const loot = await stage.token('a session-bound token', EVERY_SCOPE);
      const control = await stage.introspect('by the resource server that it is for', loot, {
        part: 'control',
      });
      if (control.json['active'] !== true)
        stage.inconclusive(
          `the resource server is told nothing of the token (${control.text}): see AS-INT-1`,
        );
      const { by } = mallory;
      const bearer = [['Authorization', `Bearer ${loot.compact}`]] as const;
      const answers = {
        'by the thief as a client': await stage.introspect('by the thief', loot, { by }, mallory.client),
        // RFC 7662 §2.1 lets an access token authorize the caller.
        'by the thief with the stolen token for authorization': await stage.post(
          'by the thief, with the token itself',
          'introspection_endpoint',
          { token: loot.compact },
          { by, fields: bearer },
        ),
      };
      for (const [what, { json, text }] of Object.entries(answers))
        stage.holds(json['active'] !== true, `${what}: answered ${text}, with what is known of the token`);
    },
  },
]);
