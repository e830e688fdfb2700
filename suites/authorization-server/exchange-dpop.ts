import { createDpopKey } from '../../harness/forge/dpop-proof.ts';
import type { DpopKey } from '../../harness/forge/dpop-proof.ts';
import type { JwtChange } from '../../harness/forge/jwt.ts';
import type {
  AuthorizationServerStage,
  Form,
} from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { confirmationOf, tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { Answer, IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import {
  isSessionBound,
  seenConfirmation,
} from '../../harness/scenario/authorization-server/seen-confirmation.ts';
import { withDpop } from './dpop-proof.ts';
import {
  EVERY_SCOPE,
  boundToken,
  exchange,
  isBound,
  mustBeBound,
  neverExchanged,
  partiesOf,
  seen,
  unseen,
} from './exchange.ts';
import type { Exchanger } from './exchange.ts';

/** draft -06 §3.2, §4.2, §4.6; RFC 9449 §5: token exchange where DPoP is used too. */

const REPLACED =
  'The key of a DPoP proof stands in cnf alone, or under another name than its own. It is added beside x5t#S256 and tls_exp (RFC 7800 §3.1), and token_type is DPoP then (RFC 9449 §5).';
const NOT_BOUND =
  'A client that is registered for session-bound tokens gets one without cnf.tls_exp in an exchange. The member holds for every access token of the client, whatever the grant (draft -06 §3.2).';
const UNVERIFIED =
  'The key is taken from a DPoP proof that was not verified, so that a token can be bound to a key that its client does not have, or a proof for another request be used. Verify it as at a resource server, but for ath (RFC 9449 §4.3, §5).';
const DROPPED =
  'A DPoP key is taken for a binding that makes session binding unnecessary. Whether the successor is session-bound follows from subject_token and actor_token alone; the DPoP key comes on top (draft -06 §3.2, §4.2).';
const LOST =
  'The successor of a DPoP-bound token is a bearer token where the exchange has no DPoP proof. Ask for one, or bind the successor to the certificate of the exchanging client.';

const MEMBERS = ['x5t#S256', 'tls_exp'] as const;

/** Exchanges a token with a DPoP proof of this key. */
function exchangeWithDpop(
  stage: AuthorizationServerStage,
  what: string,
  subject: IssuedToken,
  { client, by }: Exchanger,
  key: DpopKey,
  change: JwtChange = {},
): Promise<Answer> {
  return withDpop(
    stage,
    key,
    (fields) => stage.requestExchange(what, subject, client, {}, { by, fields }),
    change,
  );
}

/** A token that is bound to a DPoP key, as far as the server does that; `null` where none is issued. */
async function tokenWithKey(
  stage: AuthorizationServerStage,
  key: DpopKey,
  { client, by, who }: Exchanger,
  form: Form = {},
): Promise<IssuedToken | null> {
  const what = `a token with a DPoP proof, for ${who}`;
  const complete = { ...EVERY_SCOPE, ...form };
  const token = tokenOf(
    await withDpop(stage, key, (fields) => stage.requestToken(what, complete, { by, fields }, client)),
  );
  if (token === null) return null;
  const { resource } = form;
  const claims = await seen(stage, token, typeof resource === 'string' ? resource : undefined);
  return Object.hasOwn(confirmationOf(claims) ?? {}, 'jkt') ? token : null;
}

/** Judged: a token is bound to a DPoP key or to a certificate, as far as that can be seen. */
async function mustBeBoundToAKey(
  stage: AuthorizationServerStage,
  what: string,
  token: IssuedToken,
): Promise<void> {
  const claims = await seen(stage, token);
  if (claims === null) return;
  const cnf = confirmationOf(claims) ?? {};
  stage.holds(
    ['jkt', 'x5t#S256'].some((member) => Object.hasOwn(cnf, member)),
    `${what}: the token that is issued is bound to nothing: cnf is ${JSON.stringify(claims['cnf'])}`,
  );
}

/** How the DPoP proof of a token request can be wrong (RFC 9449 §4.3). */
const WRONG: Readonly<Record<string, JwtChange>> = {
  'signed with another key than the one in its header': { signWith: createDpopKey('another key').privateKey },
  'for another method': { claims: { htm: 'GET' } },
  'for another URI': { claims: { htu: 'https://elsewhere.tsbt.test/token' } },
  'made a day ago': { claims: { iat: Math.floor(Date.now() / 1000) - 86_400 } },
  'without jti': { claims: { jti: undefined } },
  'of another typ': { header: { typ: 'JWT' } },
};

export const exchangeDpop = authorizationServerSuite('as-exchange-dpop', [
  {
    id: 'AS-CNF-6.dpop-exchange',
    title: 'keeps both members in cnf of a successor whose exchange has a DPoP proof, and adds its key',
    capabilities: ['token-exchange', 'dpop'],
    cause: REPLACED,
    async run(stage) {
      const { holder } = partiesOf(stage);
      const issue = (): Promise<IssuedToken> => stage.token('a session-bound token', EVERY_SCOPE);
      const usual = 'an exchange without a DPoP proof';
      const control = { part: 'control', expected: 'a token' } as const;
      const without = await exchange(stage, usual, await issue(), holder, {}, control);
      if (without === null) return neverExchanged(stage);
      // Its client is registered for session-bound tokens, whatever it exchanges.
      if (!isSessionBound(await seenConfirmation(stage, usual, without)))
        return stage.holds(false, `${usual}: the token is not session-bound`, NOT_BOUND);
      const key = createDpopKey('alice’s DPoP key');
      const what = 'the same request with a DPoP proof';
      const answer = await exchangeWithDpop(stage, what, await issue(), holder, key);
      const token = tokenOf(answer);
      if (token === null)
        return stage.observe(
          `a token exchange with a DPoP proof is refused (${answer.text}); see draft §4.2`,
        );
      const cnf = await seenConfirmation(stage, what, token);
      for (const member of MEMBERS)
        stage.holds(
          Object.hasOwn(cnf, member),
          `${what}: cnf has no ${member}, only ${Object.keys(cnf).join(', ')}`,
        );
      const { jkt } = cnf;
      const { token_type: type } = answer.json;
      const isDpop = typeof type === 'string' && type.toLowerCase() === 'dpop';
      if (jkt === undefined && !isDpop) return stage.note('the DPoP proof has no effect on the successor');
      stage.holds(
        jkt === key.thumbprint,
        `${what}: jkt is ${JSON.stringify(jkt)}, and its key has ${key.thumbprint}`,
      );
      stage.holds(isDpop, `${what}: token_type is ${JSON.stringify(type)}, and cnf has jkt (RFC 9449 §5)`);
    },
  },
  {
    id: 'AS-CNF-6.wrong-dpop',
    title: 'writes no key into cnf that a token exchange has not proven: a wrong DPoP proof is refused',
    capabilities: ['token-exchange', 'dpop'],
    cause: UNVERIFIED,
    async run(stage) {
      const { holder } = partiesOf(stage);
      const issue = (): Promise<IssuedToken> => stage.token('a token to exchange', EVERY_SCOPE);
      const key = createDpopKey('alice’s DPoP key');
      const right = async (what: string): Promise<IssuedToken | null> =>
        tokenOf(await exchangeWithDpop(stage, what, await issue(), holder, key));
      const first = await right('with a DPoP proof as it must be');
      const cnf = first && (await seenConfirmation(stage, 'its successor', first));
      if (cnf?.['jkt'] === undefined)
        return stage.notApplicable('no successor shows that the DPoP proof of an exchange was taken');
      for (const [how, change] of Object.entries(WRONG)) {
        const what = `with a DPoP proof ${how}`;
        stage.refuses(what, await exchangeWithDpop(stage, what, await issue(), holder, key, change));
      }
      if ((await right('with a right one again')) === null)
        stage.inconclusive('an exchange with a right DPoP proof is refused after those with wrong ones');
    },
  },
  {
    id: 'AS-TX-1.dpop',
    title: 'binds the successor to TLS sessions where the session-bound token has a DPoP key too',
    capabilities: ['token-exchange', 'dpop'],
    cause: DROPPED,
    async run(stage) {
      const { hop } = stage.registry;
      const { holder, plain, recipient } = partiesOf(stage);
      await boundToken(stage);
      const key = createDpopKey('alice’s DPoP key');
      const other = createDpopKey('another DPoP key');
      const forHop = { resource: hop };
      const cases = [
        { by: holder, proof: key },
        { by: plain, proof: key },
        { by: plain, proof: other },
        { by: plain, proof: null },
        { by: recipient, proof: other, form: forHop },
        { by: recipient, proof: null, form: forHop },
      ];
      let [subjects, issued, judged] = [0, 0, 0];
      for (const { by, proof, form = {} } of cases) {
        const subject = await tokenWithKey(stage, key, holder, form);
        if (subject === null) continue;
        const claims = await seen(stage, subject, 'resource' in form ? hop : undefined);
        if (claims === null || !isBound(claims)) continue;
        subjects++;
        const how = proof === null ? 'without a DPoP proof' : `with a DPoP proof of ${proof.name}`;
        const what = `exchanged by ${by.who}, ${how}`;
        const successor =
          proof === null
            ? await exchange(stage, what, subject, by)
            : tokenOf(await exchangeWithDpop(stage, what, subject, by, proof));
        if (successor === null) continue;
        issued++;
        judged += (await mustBeBound(stage, what, successor)) ? 1 : 0;
      }
      if (subjects === 0) stage.notApplicable('no session-bound token is bound to a DPoP key too');
      if (issued === 0)
        stage.notApplicable('it exchanges no session-bound token that is bound to a DPoP key too');
      if (judged === 0) unseen(stage);
    },
  },
  {
    id: 'AS-TX-8.dpop',
    title: 'exchanges no token that is bound to a DPoP key for one that is bound to nothing',
    capabilities: ['token-exchange', 'dpop'],
    cause: LOST,
    async run(stage) {
      const { hop } = stage.registry;
      const { plain, recipient } = partiesOf(stage);
      const key = createDpopKey('alice’s DPoP key');
      const issue = (form: Form = {}) => tokenWithKey(stage, key, plain, form);
      const spent = await issue();
      if (spent === null) return stage.notApplicable('it binds no token to a DPoP key alone');
      const control = 'exchanged with a DPoP proof of its key';
      if (tokenOf(await exchangeWithDpop(stage, control, spent, plain, key)) === null)
        return stage.notApplicable('it exchanges no token that is bound to a DPoP key alone');
      for (const { by, form = {} } of [{ by: plain }, { by: recipient, form: { resource: hop } }]) {
        const subject = await issue(form);
        if (subject === null) continue;
        const what = `exchanged by ${by.who}, without a DPoP proof`;
        const successor = await exchange(stage, what, subject, by);
        if (successor !== null) await mustBeBoundToAKey(stage, what, successor);
      }
      const forHop = stage.claims('refresh-tokens') ? await issue({ resource: hop }) : null;
      if (forHop === null) return;
      const what = `exchanged by ${recipient.who}, with a DPoP proof of its own`;
      const own = createDpopKey('its recipient’s DPoP key');
      const { json } = await exchangeWithDpop(stage, what, forHop, recipient, own);
      const { refresh_token } = json;
      if (typeof refresh_token !== 'string') return;
      const form = { grant_type: 'refresh_token', client_id: recipient.client, refresh_token };
      const again = `${what}, then refreshed without one`;
      const refreshed = tokenOf(await stage.post(again, 'token_endpoint', form, { by: recipient.by }));
      if (refreshed !== null) await mustBeBoundToAKey(stage, again, refreshed);
    },
  },
]);
