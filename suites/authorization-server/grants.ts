import type { Identity } from '../../certs/identity.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { confirmationOf, tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer } from '../../harness/scenario/authorization-server/issued.ts';
import { CLIENTS } from '../../harness/scenario/authorization-server/registered-clients.ts';
import {
  isSessionBound,
  seenConfirmation,
} from '../../harness/scenario/authorization-server/seen-confirmation.ts';
import { FLAGGED_CLIENTS, requestAs } from './flagged-clients.ts';
import type { FlaggedClient } from './flagged-clients.ts';

/** draft -06 §3.1 step 1, §3.2: what a session-bound token has to be asked for with. */

const NO_CERTIFICATE =
  'Without a certificate on the connection there is nothing that the token could be bound to. Refuse the request, of a client with another authentication too (AMB-36); a token with less is one that a thief can use.';
const NOT_ITS_CERTIFICATE =
  'A certificate that is not the client’s is taken for it. Compare it with the registration, and have its chain verified (RFC 8705 §2.1, §2.2).';
const NEVER_BOUND =
  'The tokens of this client are not bound in full to begin with, before any refresh: see AS-CNF-1.';
const REFRESHED =
  'The binding is decided where the grant is made, and lost or copied when it is refreshed. Bind each access token to the certificate of the request that it is issued for (AMB-37, AMB-40).';

/** Asks for a token with a refresh token (RFC 6749 §6). */
function refresh(
  stage: AuthorizationServerStage,
  what: string,
  refreshToken: string,
  by: Identity,
  clientId: string = CLIENTS.refreshing,
): Promise<Answer> {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
  return stage.post(what, 'token_endpoint', form, { by });
}

/** The refresh token of an answer; the one before where it gives no new one (RFC 6749 §6). */
function refreshTokenOf({ json }: Answer, before: string): string {
  const { refresh_token: token } = json;
  return typeof token === 'string' ? token : before;
}

/** Judged: a client that its certificate authenticates gets no token with another. */
async function judgeOtherCertificates(
  stage: AuthorizationServerStage,
  what: string,
  client: FlaggedClient,
): Promise<void> {
  const { alice, mallory, stranger } = stage.identities;
  const others: readonly (readonly [string, Identity])[] = [
    ...(client.byCertificate ? [['mallory’s', mallory] as const] : []),
    client.identity === 'alice' ? ['an untrusted', stranger] : ['alice’s', alice],
  ];
  for (const [whose, by] of others) {
    const told = `${what}, with ${whose} certificate`;
    const answer = await requestAs(stage, told, client, { by });
    if (client.byCertificate) stage.refuses(told, answer, NOT_ITS_CERTIFICATE);
    else if (tokenOf(answer) !== null)
      stage.observe(`${told}: gets a token; possession of a key is shown, though nobody vouches for it`);
  }
}

export const grants = authorizationServerSuite('as-grants', [
  {
    id: 'AS-GRANT-1',
    title: 'gives no token to a client that must have session-bound ones but shows no certificate of its own',
    cause: NO_CERTIFICATE,
    async run(stage) {
      await stage.token();
      for (const client of FLAGGED_CLIENTS) {
        const what = `a client known by ${client.knownBy}`;
        const control = await requestAs(stage, `${what}, with its certificate`, client);
        if (tokenOf(control) === null) {
          stage.note(`${what}: gets no token with its certificate either (${control.text})`);
          continue;
        }
        const without = await requestAs(stage, `${what}, without a certificate`, client, { by: null });
        stage.refuses(`${what}, without a certificate`, without);
        await judgeOtherCertificates(stage, what, client);
      }
    },
  },
  {
    id: 'AS-GRANT-2',
    title:
      'binds a refreshed token to TLS sessions and to the certificate of the refresh, and refuses others’ refreshes',
    capabilities: ['token-exchange', 'refresh-tokens'],
    async run(stage) {
      const { alice, renewed, mallory } = stage.identities;
      const subject = await stage.token('a session-bound token', {}, {}, CLIENTS.refreshing);
      const exchanged = await stage.requestExchange('its exchange', subject, CLIENTS.refreshing);
      // What was not bound to begin with is not lost in a refresh.
      const before = subject.claims === null ? {} : (confirmationOf(subject.claims) ?? {});
      const isBound = isSessionBound(before) && Object.hasOwn(before, 'x5t#S256');
      const lost = subject.claims === null || isBound ? REFRESHED : NEVER_BOUND;
      let token = refreshTokenOf(exchanged, '');
      if (token === '') return stage.inconclusive(`an exchange yields no refresh token (${exchanged.text})`);
      const judge = async (what: string, by: Identity): Promise<boolean> => {
        const answer = await refresh(stage, what, token, by);
        token = refreshTokenOf(answer, token);
        const issued = tokenOf(answer);
        if (issued === null) return false;
        const cnf = await seenConfirmation(stage, what, issued);
        const { 'x5t#S256': thumbprint } = cnf;
        stage.holds(isSessionBound(cnf), `${what}: the token is not session-bound`, lost);
        stage.holds(
          thumbprint === by.thumbprint,
          `${what}: x5t#S256 is ${JSON.stringify(thumbprint)}, not ${by.thumbprint}`,
          lost,
        );
        return true;
      };
      if (!(await judge('a refresh with alice’s certificate', alice)))
        return stage.inconclusive('the refresh token is not taken from the client that it was issued to');
      for (const [what, clientId] of [
        ['a refresh with mallory’s certificate and alice’s client_id', CLIENTS.refreshing],
        ['a refresh by mallory as herself', CLIENTS.mallory],
      ] as const)
        stage.refuses(what, await refresh(stage, what, token, mallory, clientId), NOT_ITS_CERTIFICATE);
      if (!(await judge('a refresh with alice’s renewed certificate', renewed)))
        stage.note(
          'a refresh with a renewed certificate is refused, which RFC 8705 §6.3 and §7.1 leave to the server',
        );
    },
  },
]);
