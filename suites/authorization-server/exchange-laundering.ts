import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import { authorizationServerSuite } from '../../harness/scenario/authorization-server/authorization-server-scenario.ts';
import { tokenOf } from '../../harness/scenario/authorization-server/issued.ts';
import type { IssuedToken } from '../../harness/scenario/authorization-server/issued.ts';
import {
  EVERY_SCOPE,
  boundToken,
  exchange,
  mustBeBound,
  neverExchanged,
  partiesOf,
  boundTokenForHop,
  unseen,
} from './exchange.ts';
import type { Exchanger } from './exchange.ts';

/** draft -06 §3.2, §6.1.5: no way through the token endpoint loses a binding. */

const LOST =
  'Whether a token is session-bound has to be kept with what it is exchanged for: with its successor, with the successor of that one, and with refresh tokens that are issued on the way.';

interface Step {
  readonly by: Exchanger;
  /** The resource that the successor is for. */
  readonly resource?: string;
}

/** Exchanges a token, then its successor, and so on until that is refused; every one is judged. */
async function follow(
  stage: AuthorizationServerStage,
  from: IssuedToken,
  steps: readonly Step[],
): Promise<{ readonly issued: number; readonly judged: number }> {
  let [token, issued, judged]: [IssuedToken | null, number, number] = [from, 0, 0];
  for (const { by, resource } of steps) {
    const what = `exchange ${issued + 1}, by ${by.who}`;
    token = await exchange(stage, what, token, by, { resource });
    if (token === null) break;
    issued++;
    judged += (await mustBeBound(stage, what, token, resource)) ? 1 : 0;
  }
  return { issued, judged };
}

export const exchangeLaundering = authorizationServerSuite('as-exchange-laundering', [
  {
    id: 'AS-TX-8',
    title: 'loses no binding over exchanges one after another, by whichever clients',
    capabilities: ['token-exchange'],
    cause: LOST,
    async run(stage) {
      const { hop } = stage.registry;
      const { holder, plain, unbound, certificate, recipient } = partiesOf(stage);
      const routes: readonly (readonly Step[])[] = [
        [{ by: holder }, { by: plain }, { by: plain }],
        [{ by: plain }, { by: certificate }, { by: unbound }],
        [{ by: plain, resource: hop }, { by: recipient }, { by: recipient }],
        [{ by: holder, resource: hop }, { by: recipient, resource: hop }, { by: recipient }],
      ];
      const walked = [];
      for (const steps of routes) walked.push(await follow(stage, await boundToken(stage), steps));
      if (walked.every(({ issued }) => issued === 0)) neverExchanged(stage);
      if (walked.every(({ issued }) => issued < 2))
        stage.notApplicable('it exchanges no token that comes from an exchange');
      if (walked.every(({ judged }) => judged === 0)) unseen(stage);
    },
  },
  {
    id: 'AS-TX-8.refresh',
    title: 'loses no binding by way of a refresh token that comes with an exchange',
    capabilities: ['token-exchange', 'refresh-tokens'],
    cause: LOST,
    async run(stage) {
      const { refreshing, recipient } = partiesOf(stage);
      const routes = [
        { by: refreshing, from: await boundToken(stage, EVERY_SCOPE, refreshing.client) },
        { by: recipient, from: await boundTokenForHop(stage) },
      ];
      let [refreshed, judged] = [0, 0];
      for (const { by, from } of routes) {
        if (from === null) continue;
        const what = `exchanged by ${by.who}`;
        let { json } = await stage.requestExchange(what, from, by.client, {}, { by: by.by });
        for (const turn of ['once', 'twice']) {
          const { refresh_token } = json;
          if (typeof refresh_token !== 'string') break;
          const again = `${what}, then refreshed ${turn}`;
          const form = { grant_type: 'refresh_token', client_id: by.client, refresh_token };
          const answer = await stage.post(again, 'token_endpoint', form, { by: by.by });
          const token = tokenOf(answer);
          if (token === null) break;
          refreshed++;
          judged += (await mustBeBound(stage, again, token)) ? 1 : 0;
          // Without a new refresh token the one before stays valid (RFC 6749 §6).
          json = { refresh_token, ...answer.json };
        }
      }
      if (refreshed === 0) stage.notApplicable('no refresh token that comes with an exchange gives a token');
      if (judged === 0) unseen(stage);
    },
  },
]);
