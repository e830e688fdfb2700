import { randomUUID } from 'node:crypto';
import type { TokenPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { inDpopProofs } from './dpop-identifiers.ts';
import { atEndOfWindow, seconds } from './iat-window.ts';
import { inSessionProofs, ownTokens, Presenter } from './presented-identifiers.ts';
import type { Presented } from './presented-identifiers.ts';

/** draft -06 §2.3.2.2, RFC 9449 §11.1: how long an accepted identifier is remembered. */

const BY_PROOF_AGE =
  'A jti is forgotten when its proof’s iat has left some window, so that one dated back is forgotten at once. Keep it until the access token expires, whatever the iat (draft -06 §2.3.2.2).';
const BY_FIXED_TIME =
  'A jti is kept for a fixed time, shorter than its access token lives. Keep it until the token expires (draft -06 §2.3.2.2).';
const BY_CONNECTION =
  'The store of used jti values belongs to the connection and goes with it. Keep them under the access token.';
const BY_COUNT =
  'Only so many jti values are kept, and the oldest makes room for the next. Reject further ones when the store is full: forgetting one lets its proof pass again.';
const BY_LIFETIME =
  'When a jti is to be forgotten is worked out wrongly from the token’s lifetime: a timer above 2^31 ms fires at once, a time above 2^31 s wraps, and a token accepted with some leeway outlives its exp. Compare times when a jti is looked up.';
const BY_FORMAT =
  'The jti of proofs is remembered for JWTs only, whose exp is at hand. Keep it for tokens resolved by introspection too, for as long as the response says, or as the token is accepted.';
const DPOP_FIXED_TIME =
  'The jti of a DPoP proof is kept for a shorter time than the proof is accepted for. Keep it until the proof’s iat has left the window (RFC 9449 §11.1).';

const DAY = 86_400;

/**
 * How long a used jti is left alone before it is presented again, in seconds. In the core profile no longer than other
 * scenarios take; the last one of the full profile is longer than a minute, and than usual windows of iat.
 */
const SPANS = { core: [2], full: [6, 12, 31, 62] } as const;
/** Of the token, in seconds: short in the core profile, so that what is kept for a part of it is soon forgotten. */
const LIFETIME = { core: 60, full: 600 } as const;
/** Room for requests, in milliseconds, beyond the longest span. */
const ROOM_MS = 30_000;
const LONGEST_MS = 62_000 + ROOM_MS;

/** Other identifiers between the two uses of one. */
const OTHERS = { core: 48, full: 1100 } as const;

/** Ages of DPoP proofs in seconds, of which the greatest that is served is tried. */
const DPOP_AGES = [282, 232, 112, 52, 22, 6, 2] as const;

/** Long enough for a timer of a few milliseconds to have fired. */
const TICKS_MS = 30;

/** Token lifetimes in seconds, from just over to longer than timers and 32-bit numbers of seconds last. */
const LIFETIMES: readonly { readonly what: string; readonly lifetime: number }[] = [
  { what: 'a token that expired 5 s ago', lifetime: -5 },
  { what: 'a token that expired 50 s ago', lifetime: -50 },
  { what: 'a token that lives for 30 days', lifetime: 30 * DAY },
  { what: 'a token that lives for 100 years', lifetime: 36_525 * DAY },
];

async function prepared(stage: Stage): Promise<Presenter> {
  await ownTokens(stage);
  const presenter = new Presenter(stage, inSessionProofs(stage));
  await presenter.remembersAny();
  return presenter;
}

/** The one identifier that was presented, where it was served; nothing can be judged otherwise. */
function served(stage: Stage, [presented]: readonly Presented[]): Presented {
  if (presented?.exchange.served === true) return presented;
  return stage.inconclusive(
    `a proof with a fresh jti was not served (${presented?.exchange.reading.text ?? 'no answer'}), so rejecting a used one would prove nothing`,
    'target',
  );
}

/** Waits longer than a single pause may last. */
async function untilAfter(stage: Stage, instant: number): Promise<void> {
  while (Date.now() < instant) await stage.until(instant);
}

/** Whether a jti is forgotten with nothing in between, in the time that has passed since an instant. */
async function forgetsIn(stage: Stage, presenter: Presenter, since: number): Promise<boolean> {
  const passed = Date.now() - since;
  const alone = served(stage, await presenter.once('a proof with a fresh jti', [randomUUID()]));
  await untilAfter(stage, Date.now() + passed);
  return presenter.servesAgain(alone, `the same jti ${passed} ms later`, { jti: alone.claims.jti });
}

function spanOf({ full }: Stage): readonly number[] {
  return full ? SPANS.full : SPANS.core;
}

export const identifierRetention = suite('resource-server', 'identifier-retention', [
  {
    id: 'RS-PL-7.kept',
    title: 'remembers a jti while time passes and its access token lives',
    cause: BY_FIXED_TIME,
    waits: true,
    timeLimitMs: LONGEST_MS,
    async run(stage) {
      const presenter = await prepared(stage);
      const spans = spanOf(stage);
      const used = await presenter.once(
        'a proof with a fresh jti',
        spans.map(() => randomUUID()),
        { lifetime: stage.full ? LIFETIME.full : LIFETIME.core },
      );
      const begun = Date.now();
      for (const [index, span] of spans.entries()) {
        const earlier = served(stage, used.slice(index));
        const before = stage.findings.length;
        await untilAfter(stage, begun + span * 1000);
        // A new proof: the first one may have left the target's window of iat by now.
        const control = served(
          stage,
          await presenter.once(`a fresh jti for the token, ${span} s later`, [randomUUID()], earlier.token),
        );
        await presenter.refusesAgain(earlier, `the same jti ${span} s later, in a new proof`, BY_FIXED_TIME, {
          claims: { jti: earlier.claims.jti },
          control,
        });
        stage.measure('longest time after which a used jti was presented again', span * 1000, 'ms');
        if (stage.findings.length > before) break;
      }
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-PL-7.dated-back',
    title: 'remembers the jti of a proof at the end of its iat window beyond that window',
    cause: BY_PROOF_AGE,
    waits: true,
    async run(stage) {
      const presenter = await prepared(stage);
      let used: Presented | undefined;
      const present = async (iat: number): Promise<boolean> => {
        [used] = await presenter.once('a proof with a fresh jti, as old as it may be', [
          { jti: randomUUID(), iat },
        ]);
        return used?.exchange.served === true;
      };
      const ending = await atEndOfWindow(stage, present);
      if (ending === undefined) {
        if (!(await present(seconds() - 5 * 3600)))
          return stage.inconclusive('the window of iat changed during the scenario', 'target');
      } else await ending.over();
      const earlier = served(stage, used === undefined ? [] : [used]);
      await presenter.refusesAgain(earlier, 'the same jti in a proof made now', BY_PROOF_AGE, {
        claims: { jti: earlier.claims.jti },
      });
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-PL-7.closed',
    title: 'remembers a jti when the connection that it came on has been closed',
    cause: BY_CONNECTION,
    async run(stage) {
      const presenter = await prepared(stage);
      const earlier = served(stage, await presenter.once('a proof with a fresh jti', [randomUUID()]));
      await earlier.exchange.connection.close();
      await presenter.refusesAgain(earlier, 'the same jti on a new connection', BY_CONNECTION);
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-PL-7.crowd',
    title: 'remembers a jti however many others come after it',
    cause: BY_COUNT,
    timeLimitMs: 60_000,
    async run(stage) {
      const presenter = await prepared(stage);
      const count = stage.full ? OTHERS.full : OTHERS.core;
      const list = Array.from({ length: count + 2 }, () => randomUUID());
      const begun = Date.now();
      const used = await presenter.once('one of many proofs with a jti of its own', list);
      const [first, second] = [served(stage, used), served(stage, used.slice(1))];
      const accepted = used.filter(({ exchange }) => exchange.served);
      const others = accepted.length - 2;
      if (others < count)
        stage.note(
          `only ${others} of ${count} further proofs were served: a full store may reject them (AMB-29)`,
        );
      const what = `the first jti after ${others} others for the same token`;
      const anew = { jti: first.claims.jti };
      if ((await presenter.servesAgain(first, what, anew)) && (await forgetsIn(stage, presenter, begun)))
        return stage.note('a jti is forgotten in so short a time without any others too; see RS-PL-7.kept');
      await presenter.refusesAgain(second, what.replace('first', 'second'), BY_COUNT, {
        claims: { jti: second.claims.jti },
        control: accepted.at(-1) ?? second,
      });
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-PL-7.lifetime',
    title: 'remembers a jti whether its access token is about to expire or lives for years',
    cause: BY_LIFETIME,
    async run(stage) {
      const presenter = await prepared(stage);
      for (const { what, lifetime } of LIFETIMES) {
        const [earlier] = await presenter.once(`a fresh jti for ${what}`, [randomUUID()], { lifetime });
        if (earlier?.exchange.served !== true) {
          stage.note(`not tried: ${what} is rejected (${earlier?.exchange.reading.text})`);
          continue;
        }
        await stage.until(Date.now() + TICKS_MS);
        await presenter.refusesAgain(earlier, `the same jti for ${what}`, BY_LIFETIME);
      }
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-PL-7.introspected',
    title: 'remembers a jti for tokens resolved by introspection, with and without exp in the response',
    capabilities: ['introspection'],
    cause: BY_FORMAT,
    async run(stage) {
      const presenter = await prepared(stage);
      const kinds: readonly (readonly [what: string, plan: TokenPlan])[] = [
        ['an opaque token', { opaque: true }],
        ['an opaque token without known expiry', { opaque: true, claims: { exp: undefined } }],
      ];
      for (const [what, plan] of kinds) {
        const [earlier] = await presenter.once(`a fresh jti for ${what}`, [randomUUID()], plan);
        if (earlier?.exchange.served === true)
          await presenter.refusesAgain(earlier, `the same jti for ${what}`, BY_FORMAT);
        else stage.note(`not tried: ${what} is rejected (${earlier?.exchange.reading.text})`);
      }
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-DPOP-1.kept',
    title: 'remembers the jti of a DPoP proof for as long as it accepts the proof',
    capabilities: ['dpop'],
    cause: DPOP_FIXED_TIME,
    waits: true,
    timeLimitMs: LONGEST_MS,
    async run(stage) {
      await ownTokens(stage);
      const presenter = new Presenter(stage, await inDpopProofs(stage));
      await presenter.remembersAny();
      const iat = Math.floor(seconds());
      const spans = spanOf(stage);
      const used = await presenter.once(
        'a DPoP proof with a fresh jti',
        spans.map(() => ({ jti: randomUUID(), iat })),
      );
      const begun = Date.now();
      for (const [index, span] of spans.entries()) {
        const earlier = served(stage, used.slice(index));
        const before = stage.findings.length;
        await untilAfter(stage, begun + span * 1000);
        const [asOld] = await presenter.once(
          `a DPoP proof with a fresh jti, made ${span} s ago`,
          [{ jti: randomUUID(), iat }],
          earlier.token,
        );
        if (asOld?.exchange.served !== true) {
          stage.note(`DPoP proofs made ${span} s ago are rejected (${asOld?.exchange.reading.text})`);
          break;
        }
        await presenter.refusesAgain(earlier, `the same DPoP proof ${span} s later`, DPOP_FIXED_TIME, {
          control: asOld,
        });
        stage.measure('longest time after which a DPoP proof was presented again', span * 1000, 'ms');
        if (stage.findings.length > before) break;
      }
      await presenter.stillServes();
    },
  },
  {
    id: 'RS-DPOP-1.dated-back',
    title: 'remembers the jti of a DPoP proof that was made some time before it came',
    capabilities: ['dpop'],
    cause: DPOP_FIXED_TIME,
    async run(stage) {
      await ownTokens(stage);
      const presenter = new Presenter(stage, await inDpopProofs(stage));
      await presenter.remembersAny();
      for (const age of DPOP_AGES) {
        const what = `a DPoP proof made ${age} s ago`;
        const [earlier] = await presenter.once(what, [
          { jti: randomUUID(), iat: Math.floor(seconds()) - age },
        ]);
        if (earlier?.exchange.served !== true) continue;
        await presenter.refusesAgain(earlier, `${what}, for the second time`, DPOP_FIXED_TIME);
        return presenter.stillServes();
      }
      stage.notApplicable('DPoP proofs must have been made within a second or two');
    },
  },
]);
