import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { RequestOptions } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import { seenConfirmation } from '../../harness/scenario/authorization-server/seen-confirmation.ts';
import { AXES, EVERY_TRANSPORT } from '../../harness/scenario/permutation.ts';
import { certificateFields, certificateParameters } from './forwarded-certificate.ts';

/** draft -06 §2.4, §3.1: whose certificate a token is bound to. */

const OTHER_CERTIFICATE =
  'x5t#S256 is the unpadded base64url SHA-256 of the whole certificate (DER) that the client presented on this very connection: not of its key, not of another certificate of the chain, not of one that is registered or remembered (RFC 8705 §3.1).';
const TOLD =
  'What a request says of a certificate stands for the certificate of the connection, and the client can write that itself. Take the certificate of the TLS handshake; a proxy in front has to drop such fields of others (RFC 9440 §4).';

/** How long a target may take to send a session ticket after it has answered. */
const SESSION_MS = 500;

export const thumbprint = authorizationServerSuite('as-thumbprint', [
  {
    id: 'AS-CNF-3',
    title: 'writes into x5t#S256 the thumbprint of the certificate on the token request’s own connection',
    across: EVERY_TRANSPORT,
    cause: OTHER_CERTIFICATE,
    async run(stage) {
      const { alice, renewed, own } = stage.identities;
      await stage.token();
      const cases = [
        ['alice’s certificate', CLIENTS.bound, alice],
        ['another certificate for the same key and name, sent with an intermediate', CLIENTS.bound, renewed],
        ['alice’s certificate again', CLIENTS.bound, alice],
        ['a certificate that the client has signed itself', CLIENTS.own, own],
      ] as const;
      for (const [what, clientId, by] of cases) {
        const expected = by.thumbprint;
        const token = tokenOf(
          await stage.requestToken(what, {}, { by, expected: `x5t#S256 ${expected}` }, clientId),
        );
        if (token === null) stage.note(`${what}: no token, so nothing to compare`);
        else {
          const { 'x5t#S256': actual } = await seenConfirmation(stage, what, token);
          stage.holds(actual === expected, `${what}: x5t#S256 is ${JSON.stringify(actual)}, not ${expected}`);
        }
      }
    },
  },
  {
    id: 'AS-CNF-3.resumed',
    title: 'binds a token that is asked for on a resumed connection to the certificate of its TLS session',
    across: { tls: AXES.tls },
    cause:
      'On a resumed connection, which has no Certificate message, another certificate or none is taken. Take the one that is remembered with the session, or refuse.',
    async run(stage) {
      const { renewed } = stage.identities;
      // Alice is known by another certificate before, so that one that is remembered of her is not this one.
      await stage.token();
      const first = await stage.connect({ identity: renewed });
      const usual = 'a token on the original connection';
      const original = await stage.token(usual, {}, { on: first });
      const { 'x5t#S256': bound } = await seenConfirmation(stage, usual, original);
      if (bound !== renewed.thumbprint)
        return stage.holds(false, `${usual}: x5t#S256 is ${JSON.stringify(bound)}`, OTHER_CERTIFICATE);
      const session = await first.session(SESSION_MS);
      const second = session && (await stage.connect({ identity: renewed, session }));
      if (second?.facts.resumed !== true) return stage.notApplicable('it does not resume TLS sessions');
      const what = 'the same request on the resumed connection';
      const answer = await stage.requestToken(what, {}, { on: second });
      const token = tokenOf(answer);
      if (token === null)
        return stage.observe(`${what}: ${answer.text}, which the draft leaves open (as in AMB-04)`);
      const { 'x5t#S256': actual } = await seenConfirmation(stage, what, token);
      stage.holds(actual === renewed.thumbprint, `${what}: x5t#S256 is ${JSON.stringify(actual)}`);
    },
  },
  {
    id: 'AS-CNF-4',
    title: 'takes no certificate from fields or parameters of the request in place of the connection’s',
    across: { http: AXES.http },
    cause: TOLD,
    async run(stage) {
      const { alice, renewed, mallory } = stage.identities;
      const { 'x5t#S256': right } = await seenConfirmation(
        stage,
        'a session-bound token',
        await stage.token(),
      );
      stage.holds(
        right !== undefined,
        'the right request yields a token without x5t#S256',
        OTHER_CERTIFICATE,
      );
      const other = tokenOf(
        await stage.requestToken('with another certificate of alice’s', {}, { by: renewed }),
      );
      if (other !== null) {
        const { 'x5t#S256': follows } = await seenConfirmation(stage, 'with another certificate', other);
        if (follows === right)
          stage.inconclusive(
            'tokens have the same x5t#S256 whatever certificate the connection has, so it cannot be seen whether a field changes it: see AS-CNF-3',
          );
      }
      const told = [
        ...certificateFields(mallory).map((field) => ({ name: field[0], form: {}, fields: [field] })),
        ...certificateParameters(mallory).map((form) => ({
          name: Object.keys(form).join(),
          form,
          fields: [],
        })),
      ];
      for (const { name, form, fields } of told) {
        const what = `alice’s connection, another certificate in ${name}`;
        const token = tokenOf(await stage.requestToken(what, form, { fields }));
        if (token === null) continue;
        const { 'x5t#S256': actual } = await seenConfirmation(stage, what, token);
        stage.holds(actual === right, `${what}: x5t#S256 is ${JSON.stringify(actual)}`);
      }
      const others: readonly (readonly [string, RequestOptions])[] = [
        ['no certificate', { by: null }],
        ...(stage.full ? [['mallory’s connection', { by: mallory }] as const] : []),
      ];
      for (const [what, options] of others) {
        const without = await stage.requestToken(`${what}, and alice’s client_id`, {}, options);
        if (tokenOf(without) !== null) {
          stage.note(`${what}: gets a token as it is, so the fields are not to blame; see AS-GRANT-1`);
          continue;
        }
        for (const field of certificateFields(alice)) {
          const told = `${what}, alice’s certificate in ${field[0]}`;
          stage.refuses(told, await stage.requestToken(told, {}, { ...options, fields: [field] }));
        }
      }
    },
  },
]);
