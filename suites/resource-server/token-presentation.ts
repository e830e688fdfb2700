import type { Token } from '../../harness/forge/token.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import type { RequestPlan, Variation } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** draft -06 §2.4, §3.3.2 step 4: wherever and however a session-bound token is presented, it needs its proof. */

const ANOTHER_WAY_IN =
  'The token is accepted in a second place, whose code knows nothing of session binding. Decide on the proof after the token was found, wherever that was, or take tokens from the Authorization field only.';
const SPELLING =
  'The proof is asked for only where the Authorization field looks just as expected. Any way in which the token is accepted must lead to the same check.';

const FORM = ['Content-Type', 'application/x-www-form-urlencoded'] as const;

/** Whose token was used, where the target tells. */
function subjectOf({ outcome }: Exchange): unknown {
  if (outcome.type !== 'response') return undefined;
  try {
    const value: unknown = JSON.parse(outcome.body.toString());
    return typeof value === 'object' && value !== null && 'sub' in value ? value.sub : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a request that carried these tokens was served as the subject of one of them. Where it was served as somebody
 * else, the answer does not name its subject, and nothing can be judged.
 */
function servedAs(stage: Stage, exchange: Exchange, carried: readonly Token[], token: Token): boolean {
  if (!exchange.served) return false;
  const subject = subjectOf(exchange);
  if (!carried.some((one) => one.subject === subject))
    stage.inconclusive(
      `the request was served as ${JSON.stringify(subject)}, the subject of neither token: what the capability echo promises does not hold`,
      'target',
    );
  return subject === token.subject;
}

/**
 * Judged: a way of presenting the token that the target takes with a proof is refused without; where it is
 * not taken at all, that shows in the control and is refused anyway.
 */
async function needsProof(
  stage: Stage,
  what: string,
  way: RequestPlan,
  differs: readonly string[],
): Promise<void> {
  const usual = await stage.control();
  const taken = await stage.send(`${what}, with a proof`, way, {}, 'control', 'recorded');
  if (!taken.served) stage.note(`${what}: not taken at all (${taken.reading.text})`);
  const change = { ...way, proof: null };
  // No binding of the token has been verified there.
  const on = await stage.connect();
  await stage.refusesOne(
    refused('use_session_binding'),
    {
      what: `${what}, without a proof`,
      on,
      change,
      differs: taken.served ? ['proof'] : ['proof', ...differs],
    },
    taken.served ? taken : usual,
  );
}

export const tokenPresentation = suite('resource-server', 'token-presentation', [
  {
    id: 'RS-FLD-6',
    title: 'demands the proof for a token in a form or in the query too',
    cause: ANOTHER_WAY_IN,
    async run(stage) {
      const { protectedPath } = stage.setting.target;
      const inForm = await stage.mint();
      const form: RequestPlan = {
        method: 'POST',
        token: inForm,
        authorization: () => [FORM],
        body: `access_token=${inForm.compact}`,
      };
      await needsProof(stage, 'the token in a form', form, [
        'request.method',
        'request.body',
        'request.authorization',
        'request.field.content-type',
      ]);
      const inQuery = await stage.mint();
      const query: RequestPlan = {
        token: inQuery,
        authorization: () => [],
        path: `${protectedPath}?access_token=${inQuery.compact}`,
      };
      await needsProof(stage, 'the token in the query', query, ['request.target', 'request.authorization']);
      const [one, other] = [await stage.mint(), await stage.mint()];
      const both: RequestPlan = { token: one, path: `${protectedPath}?access_token=${other.compact}` };
      await needsProof(stage, 'a token in the Authorization field and another one in the query', both, [
        'request.target',
      ]);
    },
  },
  {
    id: 'RS-FLD-6.two-tokens',
    title: 'does not serve one of two tokens for the proof of the other',
    capabilities: ['echo'],
    cause:
      'The proof is checked against one token and the request served under another one. Refuse a request with two tokens (RFC 6750 §2), or use one of them throughout.',
    async run(stage) {
      await stage.control();
      for (const proven of ['field', 'query'] as const) {
        const field = await stage.mint({ subject: 'in-the-field' });
        const query = await stage.mint({ subject: 'in-the-query' });
        const path = `${stage.setting.target.protectedPath}?access_token=${query.compact}`;
        const forToken = proven === 'field' ? field : query;
        const exchange = await stage.send(
          `a token in the Authorization field, another one in the query, a proof for the one in the ${proven}`,
          { token: field, path, proof: { forToken } },
        );
        const unproven = proven === 'field' ? query : field;
        if (servedAs(stage, exchange, [field, query], unproven))
          stage.wronglyServed(
            `with a proof for the token in the ${proven} the request was served under the other token`,
            ['proof.claims.ath'],
          );
      }
    },
  },
  {
    id: 'RS-FLD-7',
    title: 'demands the proof whatever the spelling of the authentication scheme',
    cause: SPELLING,
    async run(stage) {
      const spelt = (what: string, value: (token: string) => string): Variation => ({
        what: `${what}, without a proof`,
        change: { authorization: (token) => [['Authorization', value(token)]], proof: null },
      });
      const second = await stage.mint();
      await stage.refuses(refused('use_session_binding', '401'), [
        spelt('bearer', (token) => `bearer ${token}`),
        spelt('BEARER', (token) => `BEARER ${token}`),
        spelt('Bearer and two spaces', (token) => `Bearer  ${token}`),
        spelt('Bearer and a tab', (token) => `Bearer\t${token}`),
        spelt('DPoP', (token) => `DPoP ${token}`),
        spelt('Token', (token) => `Token ${token}`),
        spelt('MAC', (token) => `MAC ${token}`),
        spelt('PoP', (token) => `PoP ${token}`),
        spelt('no scheme', (token) => token),
        {
          what: 'two Authorization fields with a session-bound token each, without a proof',
          change: {
            authorization: (token) => [
              ['Authorization', `Bearer ${token}`],
              ['Authorization', `Bearer ${second.compact}`],
            ],
            proof: null,
          },
        },
      ]);
    },
  },
  {
    id: 'RS-FLD-7.two-tokens',
    title: 'does not serve a session-bound token because an unbound one stands beside it',
    capabilities: ['echo'],
    cause:
      'Whether a proof is needed is decided by one Authorization field, the identity by another. Refuse a request that has more than one.',
    async run(stage) {
      await stage.control();
      for (const first of ['bound', 'unbound'] as const) {
        const bound = await stage.mint({ subject: 'bound' });
        const unbound = await stage.mint({ subject: 'unbound', boundTo: null, sessionBound: false });
        const order = first === 'bound' ? [bound, unbound] : [unbound, bound];
        const exchange = await stage.send(
          `two Authorization fields, the ${first} token first, without a proof`,
          {
            token: bound,
            authorization: () =>
              order.map(({ compact }: Token) => ['Authorization', `Bearer ${compact}`] as const),
            proof: null,
          },
        );
        if (servedAs(stage, exchange, [bound, unbound], bound))
          stage.wronglyServed(
            `with the ${first} token first the request was served under the session-bound token, without its proof`,
            ['proof'],
          );
      }
    },
  },
  {
    id: 'RS-FLD-7.letter-case',
    title: 'takes the scheme in any letter case',
    cause: { rejected: 'The scheme is compared with regard to case. It has none (RFC 9110 §11.1).' },
    async run(stage) {
      await stage.control();
      for (const scheme of ['bearer', 'BEARER']) {
        await stage.accepts(scheme, { authorization: (token) => [['Authorization', `${scheme} ${token}`]] });
      }
    },
  },
]);
