import { hash } from 'node:crypto';
import { createDpopKey } from '../../harness/forge/dpop-proof.ts';
import { EXPORTER_LABEL } from '../../harness/forge/token.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { confirmationOf, tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import {
  isSessionBound,
  seenConfirmation,
} from '../../harness/scenario/authorization-server/seen-confirmation.ts';
import type { Connection, Derivation } from '../../harness/wire/connection.ts';
import { withDpop } from './dpop-proof.ts';
import { FLAGGED_CLIENTS, requestAs } from './flagged-clients.ts';

/** draft -06 §2.4, §3.1: the confirmation claim of the tokens that are issued. */

const NO_CONFIRMATION =
  'The token of a client that is registered for session-bound tokens lacks a member of cnf. Put the thumbprint of the certificate on the token request’s connection into x5t#S256, and the exporter label into tls_exp.';
const MEMBERS = ['x5t#S256', 'tls_exp'] as const;

/** Keying material that an implementation might take for what the token is to be bound to. */
const DERIVATIONS: readonly Derivation[] = [
  {},
  { context: null },
  { label: 'EXPORTER-Channel-Binding' },
  { label: 'EXPORTER-oauth-tls-bound-token-exchange' },
];

/** Every text that a value of the connection might stand as: itself or its hash, in base64url, base64 or hexadecimal. */
function valuesOf(connection: Connection): readonly string[] {
  const octets = [...DERIVATIONS.map((each) => connection.exporter(each)), connection.tlsUnique ?? []];
  return octets
    .map((value) => Buffer.from(value))
    .filter(({ length }) => length > 0)
    .flatMap((value) => [value, hash('sha256', value, 'buffer')])
    .flatMap((value) => [
      value.toString('base64url'),
      value.toString('base64').replace(/=+$/, ''),
      value.toString('hex'),
    ]);
}

export const confirmation = authorizationServerSuite('as-confirmation', [
  {
    id: 'AS-CNF-1',
    title: 'gives a session-bound access token a cnf with x5t#S256 and tls_exp, both texts',
    cause: NO_CONFIRMATION,
    async run(stage) {
      const { claims } = await stage.jwt();
      const cnf = confirmationOf(claims);
      stage.holds(cnf !== null, `cnf is ${JSON.stringify(claims['cnf'])}, and must be an object`);
      for (const member of MEMBERS)
        stage.holds(
          typeof cnf?.[member] === 'string',
          `cnf.${member} is ${JSON.stringify(cnf?.[member])}, and must be a text`,
        );
    },
  },
  {
    id: 'AS-CNF-2',
    title: 'writes exactly the registered exporter label into tls_exp',
    cause: `tls_exp holds the label ${EXPORTER_LABEL}, which is the same for every token; no value of a connection.`,
    async run(stage) {
      const { claims } = await stage.jwt();
      const label = confirmationOf(claims)?.['tls_exp'];
      stage.holds(label === EXPORTER_LABEL, `tls_exp is ${JSON.stringify(label)}`);
    },
  },
  {
    id: 'AS-CNF-5',
    title: 'puts nothing of the token request’s connection into the token, so that it is of use on others',
    cause:
      'The token tells a value of the connection that it was asked for on. A token is bound to the certificate alone; the exporter value is in the proofs, for connections to the resource server (AMB-54).',
    async run(stage) {
      const seen = [];
      for (const what of ['a token', 'a token on another connection']) {
        const connection = await stage.connect();
        const token = await stage.token(what, {}, { on: connection });
        const cnf = await seenConfirmation(stage, what, token);
        const text = JSON.stringify([token.header, token.claims, cnf]);
        for (const member of MEMBERS)
          stage.holds(Object.hasOwn(cnf, member), `${what}: cnf has no ${member}`, NO_CONFIRMATION);
        const told = valuesOf(connection).find((value) => text.includes(value));
        stage.holds(told === undefined, `${what}: it tells ${told ?? ''}, a value of the connection`);
        seen.push(cnf);
      }
      const [first = {}, second = {}] = seen;
      for (const member of Object.keys(first))
        if (JSON.stringify(first[member]) !== JSON.stringify(second[member]))
          stage.observe(`cnf.${member} differs between tokens for one certificate on two connections`);
      const further = Object.keys(first).filter((member) => !MEMBERS.some((known) => known === member));
      if (further.length > 0) stage.note(`cnf has further members: ${further.join(', ')}`);
    },
  },
  {
    id: 'AS-CNF-6',
    title: 'never writes tls_exp without x5t#S256, however the client authenticates',
    cause:
      'tls_exp is set in another place than x5t#S256, and there without a certificate. Set both together, or refuse the request.',
    async run(stage) {
      const control = await seenConfirmation(stage, 'a session-bound token', await stage.token());
      stage.holds(
        isSessionBound(control),
        'the right request yields no session-bound token',
        NO_CONFIRMATION,
      );
      for (const client of FLAGGED_CLIENTS)
        for (const by of [stage.identities[client.identity], null]) {
          const what = `a client known by ${client.knownBy}, ${by === null ? 'without a certificate' : 'with its certificate'}`;
          const token = tokenOf(await requestAs(stage, what, client, { by }));
          const cnf = token && (await seenConfirmation(stage, what, token));
          if (cnf === null || !isSessionBound(cnf)) continue;
          const { 'x5t#S256': thumbprint } = cnf;
          stage.holds(
            typeof thumbprint === 'string' && thumbprint !== '',
            `${what}: a token with tls_exp whose x5t#S256 is ${JSON.stringify(thumbprint)}`,
          );
        }
    },
  },
  {
    id: 'AS-CNF-6.dpop',
    title: 'keeps both members in cnf where a client that must have session-bound tokens uses DPoP too',
    capabilities: ['dpop'],
    cause:
      'The key of a DPoP proof replaces the other members of cnf. They stand beside each other (RFC 7800 §3.1); what the client is registered for is not undone by a proof.',
    async run(stage) {
      const control = await seenConfirmation(stage, 'a session-bound token', await stage.token());
      if (!isSessionBound(control))
        return stage.holds(false, 'without a DPoP proof the token is not session-bound', NO_CONFIRMATION);
      const what = 'the same request with a DPoP proof';
      const key = createDpopKey('alice’s DPoP key');
      const answer = await withDpop(stage, key, (fields) => stage.requestToken(what, {}, { fields }));
      const token = tokenOf(answer);
      if (token === null)
        return stage.observe(
          `${CLIENTS.bound} gets no token with a DPoP proof (${answer.text}); see draft §4.2`,
        );
      const cnf = await seenConfirmation(stage, what, token);
      for (const member of MEMBERS)
        stage.holds(
          Object.hasOwn(cnf, member),
          `${what}: cnf has no ${member}, only ${Object.keys(cnf).join(', ')}`,
        );
      stage.note(Object.hasOwn(cnf, 'jkt') ? 'cnf has jkt too' : 'the DPoP proof has no effect on cnf');
    },
  },
]);
