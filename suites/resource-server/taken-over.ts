import { readJwt } from '../../harness/forge/read.ts';
import { refused } from '../../harness/scenario/expectation.ts';
import { AXES } from '../../harness/scenario/permutation.ts';
import { combine } from '../../harness/scenario/request.ts';
import type { RequestPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange, Way } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { ConnectFailure } from '../../harness/wire/connection.ts';
import { handedOut } from './handed-out.ts';
import type { Returned } from './handed-out.ts';

/** draft -06 §2.1, §2.4, §3.3.2: no session of another kind takes over from the token and its proof. */

const SESSION =
  'A session begins with the first verified request, and whoever brings its key is served without what the token is bound to. Verify token, certificate and proof for each request; where a session has to be, let it stand for nothing that they stand for.';
const BROUGHT_BACK: Readonly<Record<Returned['kind'], string>> = {
  cookie: `A cookie takes over. ${SESSION}`,
  field: `The value of a response field takes over. ${SESSION}`,
  member: `A value out of the response's content takes over. ${SESSION}`,
};

const CONDITION =
  'Conditions and ranges are evaluated in front of the check, from stored validators or a store of files. Verify first: they count only where the response would be 2xx without them (RFC 9110 §13.2.1, §14.2).';
const STORED =
  'A stored response is found in front of the check. Verify each request first, and store responses to requests with a proof for nobody else (RFC 9111 §3.5).';

/** Who brings back what was handed out, and with what. */
interface Thief {
  readonly what: string;
  readonly plan: RequestPlan;
  readonly way: Way;
}

export const takenOver = suite('resource-server', 'taken-over', [
  {
    id: 'RS-CACHE-14',
    title: 'accepts nothing that an earlier response handed out in place of token, certificate or proof',
    across: { http: AXES.http },
    cause: SESSION,
    async run(stage) {
      const victim = await stage.connect();
      const token = await stage.mint();
      const way = { on: victim };
      const exchanges = [await stage.control("alice's first request", { token }, way)];
      if (victim.open) exchanges.push(await stage.send("alice's second request", { token }, way));
      if (victim.open) exchanges.push(await stage.send("alice's first POST", { token, method: 'POST' }, way));
      const known = JSON.stringify([readJwt(token.compact).header, readJwt(token.compact).claims]);
      const loot = handedOut(exchanges, known);
      if (loot.length === 0) return stage.note('no response handed out anything that could be brought back');
      const mallorys: Way = { connect: { identity: stage.mallory } };
      const elsewhere: Way = { on: await stage.connect() };
      const thieves: readonly Thief[] = [
        { what: "mallory's connection, no token", plan: { token: null, proof: null }, way: mallorys },
        {
          what: "mallory's connection, the stolen token without a proof",
          plan: { token, proof: null },
          way: mallorys,
        },
        {
          what: "another connection of alice's, the token without a proof",
          plan: { token, proof: null },
          way: elsewhere,
        },
        ...(victim.open
          ? [{ what: 'the same connection, the token without a proof', plan: { token, proof: null }, way }]
          : []),
      ];
      for (const thief of thieves) await judgeThief(stage, thief, loot);
      await stage.control('the valid request again');
    },
  },
  {
    id: 'RS-CACHE-15',
    title: 'verifies the proof before it evaluates conditions and ranges or answers from a store',
    across: { http: AXES.http },
    cause: CONDITION,
    async run(stage) {
      const path = `${stage.setting.target.protectedPath}/tsbt-${Math.random().toString(36).slice(2)}`;
      const token = await stage.mint();
      const mallorys: Way = { connect: { identity: stage.mallory } };
      const thieves: readonly Thief[] = [
        { what: 'the stolen token without a proof', plan: { path, token, proof: null }, way: mallorys },
        { what: 'no token', plan: { path, token: null, proof: null }, way: mallorys },
      ];
      const before: boolean[] = [];
      for (const { what, plan, way } of thieves) {
        const { served } = await sendAs(stage, `before the victim's request: ${what}`, plan, way);
        before.push(!served);
      }
      const control = await stage.control("the victim's request", { path, token });
      await stage.control("the victim's request again", { path, token });
      const fields = conditions(control, stage.full);
      let judged = 0;
      for (const [index, { what, plan, way }] of thieves.entries()) {
        if (before[index] !== true) {
          stage.note(`${what}: served before anybody else was, so nothing can be told from it; see RS-CNF-1`);
          continue;
        }
        judged++;
        const later = await sendAs(stage, `after the victim's request: ${what}`, plan, way);
        stage.holds(
          !later.served,
          `${what}: served (${later.reading.text}) once the victim was, and not before`,
          STORED,
        );
        if (later.served) continue;
        for (const [condition, change, cause] of fields) {
          const exchange = await sendAs(stage, `${what}, ${condition}`, combine(plan, change), way);
          const early = answeredEarly(exchange);
          stage.holds(early === undefined, `${what}, ${condition}: ${early ?? ''}`, cause);
        }
      }
      if (judged === 0) stage.inconclusive('a thief is served without any condition: see RS-CNF-1', 'target');
      await stage.control('the valid request again');
    },
  },
]);

/** Sends what a thief sends; where one is not let in at all, there is nothing to judge. */
async function sendAs(stage: Stage, what: string, plan: RequestPlan, way: Way): Promise<Exchange> {
  try {
    return await stage.send(what, plan, way, 'variant', 'refused');
  } catch (error) {
    if (error instanceof ConnectFailure)
      stage.notApplicable(`the thief is refused in the handshake already (${error.message})`);
    throw error;
  }
}

/** Judged: what is refused to a thief without the loot is refused with each piece of it. */
async function judgeThief(
  stage: Stage,
  { what, plan, way }: Thief,
  loot: readonly Returned[],
): Promise<void> {
  const without = await sendAs(stage, `${what}, and nothing brought back`, plan, way);
  if (without.served)
    return stage.note(`${what}: served with nothing brought back, which is what RS-CNF-1 is about`);
  for (const { what: piece, kind, plan: change, asToken } of loot) {
    // There is one Authorization field, and the stolen token has it.
    if (asToken === true && plan.token !== null) continue;
    const variation = { what: `${what}, bringing back ${piece}`, change, cause: BROUGHT_BACK[kind] };
    await stage.refusesOne(
      refused(),
      asToken === true ? { ...variation, differs: ['request.authorization'] } : variation,
      without,
      plan,
      way,
    );
  }
}

/** Conditions, ranges and plain repetitions of the victim's request. */
function conditions(
  { outcome }: Exchange,
  full: boolean,
): readonly (readonly [what: string, change: RequestPlan, cause: string])[] {
  const valueOf = (name: string): string | undefined =>
    outcome.type === 'response' ? outcome.fields.find(([key]) => key.toLowerCase() === name)?.[1] : undefined;
  const [etag, modified] = [valueOf('etag'), valueOf('last-modified')];
  const field = (name: string, value: string, cause = CONDITION): readonly [string, RequestPlan, string] => [
    `${name}: ${value}`,
    { fields: [[name, value]] },
    cause,
  ];
  const epoch = 'Thu, 01 Jan 1970 00:00:00 GMT';
  return [
    field('If-None-Match', etag ?? '*'),
    field('If-Modified-Since', modified ?? new Date().toUTCString()),
    field('Range', 'bytes=0-0'),
    field('If-Match', '"tsbt-no-such-tag"'),
    ...(full
      ? [
          ['HEAD', { method: 'HEAD' }, STORED] as const,
          ...(etag === undefined ? [] : [field('If-None-Match', '*')]),
          field('If-Match', '*'),
          field('If-Unmodified-Since', epoch),
          field('If-Modified-Since', 'Fri, 31 Dec 2100 23:59:59 GMT'),
          field('Range', 'bytes=0-'),
          field('Range', 'bytes=-1'),
          field('Range', 'bytes=999999999-'),
          field('Cache-Control', 'only-if-cached', STORED),
          field('Cache-Control', 'max-stale=99999', STORED),
        ]
      : []),
  ];
}

/** How a response shows that the resource was looked at before the request was verified; `undefined` if it does not. */
function answeredEarly({ outcome, served, reading }: Exchange): string | undefined {
  if (served) return `served (${reading.text}), must be refused`;
  if (outcome.type !== 'response') return undefined;
  if (outcome.status === 304) return 'answered 304: the thief learns that the content is the same';
  if (outcome.status === 412) return 'answered 412: the condition was evaluated before the proof was';
  if (outcome.status === 416) return 'answered 416: the range was evaluated before the proof was';
  return undefined;
}
