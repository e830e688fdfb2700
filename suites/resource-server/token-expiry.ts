import { setTimeout as delay } from 'node:timers/promises';
import type { Token } from '../../harness/forge/token.ts';
import type { TokenPlan } from '../../harness/scenario/request.ts';
import { suite } from '../../harness/scenario/scenario.ts';
import type { Exchange } from '../../harness/scenario/play.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import type { Connection } from '../../harness/wire/connection.ts';

/** draft -06 §3.3.2 step 5b and closing paragraph: validity that ends while a binding is cached. */

const OUTLIVED =
  'A verified binding answers for the token’s validity too. Cache only that the proof was verified; look at expiry and revocation with each request (draft -06 §3.3.2 step 5b).';

const OPAQUE: TokenPlan = { opaque: true };
/** Leeway for clocks, in seconds, up to which the end of a token's validity is looked for. */
const MOST_LEEWAY = 300;
/** A token that lives this long, in seconds, is surely valid. */
const SURELY_VALID = 30;
/** From priming to judging it takes a second at most; this bound, in milliseconds, leaves room for a machine under load. */
const LONGEST_WAIT = 2500;
/** Milliseconds from the start of a second until the next one has surely begun. */
const SETTLED = 1020;

export const tokenExpiry = suite('resource-server', 'token-expiry', [
  {
    id: 'RS-INT-3',
    title: 'refuses a token that has expired although its binding is cached',
    needs: ['persistent-connection'],
    cause: OUTLIVED,
    waits: true,
    async run(stage) {
      const on = await stage.connect();
      const kinds = stage.setting.target.capabilities.has('introspection') ? [{}, OPAQUE] : [{}];
      const primed = [];
      for (const kind of kinds) {
        const edge = await latestExpiry(stage, on, kind);
        if (edge === undefined)
          stage.note(
            `${nameOf(kind)} is taken more than ${MOST_LEEWAY} s after its expiry: nothing to wait for; see RS-TOK-1`,
          );
        else primed.push(await prime(stage, on, kind, edge));
      }
      if (primed.length === 0)
        stage.notApplicable(
          `tokens are taken more than ${MOST_LEEWAY} s after their expiry, so the end of their validity cannot be waited for; see RS-TOK-1`,
        );
      for (const each of primed) {
        await overFor(stage, on, each);
        const what = `${nameOf(each.kind)}, expired, with its binding cached`;
        const after = answered(
          stage,
          await stage.send(
            what,
            { token: each.first.token, proof: each.first.proofs },
            { on },
            'variant',
            '401 invalid_token',
          ),
        );
        stage.holds(
          !after.served,
          `${what}: served, although one with the same expiry and without a cached binding was refused`,
        );
      }
      await stage.control('the right request again', {}, { on });
    },
  },
  {
    id: 'RS-INT-3.revoked',
    title: 'refuses a token that introspection says is not active any more although its binding is cached',
    capabilities: ['introspection'],
    needs: ['persistent-connection'],
    cause: OUTLIVED,
    async run(stage) {
      const on = await stage.connect();
      const token = await stage.mint(OPAQUE);
      const { proofs } = await stage.control('an opaque token', { token }, { on });
      await stage.setting.introspection?.register(token.compact, { active: false });
      const cached = answered(
        stage,
        await stage.send(
          'the same request when the token is no longer active',
          { token, proof: proofs },
          { on },
          'variant',
          '401 invalid_token',
        ),
      );
      const elsewhere = answered(
        stage,
        await stage.send(
          'the token on another connection, with a new proof',
          { token },
          { on: await stage.connect() },
          'variant',
          '401 invalid_token',
        ),
      );
      if (cached.served && elsewhere.served)
        stage.observe(
          'a token that was revoked a moment ago is still served everywhere: introspection responses are cached for a while, which RFC 7662 §4 permits',
        );
      else
        stage.holds(
          !cached.served,
          'a revoked token is refused on a new connection, and served where its binding is cached',
        );
      await stage.control('another opaque token', { token: OPAQUE }, { on });
    },
  },
]);

/** An exchange that can be judged: no answer at all is neither served nor refused. */
export function answered(stage: Stage, exchange: Exchange): Exchange {
  const { kind, text } = exchange.reading;
  return kind === 'no-answer'
    ? stage.inconclusive(`no answer that can be judged (${text})`, 'target')
    : exchange;
}

function nameOf(kind: TokenPlan): string {
  return kind.opaque === true ? 'an opaque token' : 'a JWT';
}

/**
 * The smallest `lifetime` with which a new token is taken just now, in seconds: negative where the target allows for
 * clocks that differ (RFC 7519 §4.1.4). `undefined` where it takes tokens however old.
 */
async function latestExpiry(stage: Stage, on: Connection, kind: TokenPlan): Promise<number | undefined> {
  const once = async (lifetime: number): Promise<boolean> =>
    answered(
      stage,
      await stage.send(
        `${nameOf(kind)} with ${lifetime} s until its exp`,
        { token: { ...kind, lifetime } },
        { on },
      ),
    ).served;
  // Where the clock's second turned on the way, the token was a second older than meant, and a refusal tells nothing.
  const taken = async (lifetime: number): Promise<boolean> => {
    for (let attempt = 0; attempt < 5; attempt++) {
      const second = Math.floor(Date.now() / 1000);
      if (await once(lifetime)) return true;
      if (Math.floor(Date.now() / 1000) === second) return false;
    }
    return false;
  };
  let [refusedAt, takenAt] = [-MOST_LEEWAY - 1, SURELY_VALID];
  if (await taken(refusedAt)) return undefined;
  while (takenAt - refusedAt > 1) {
    const middle = Math.floor((refusedAt + takenAt) / 2);
    if (await taken(middle)) takenAt = middle;
    else refusedAt = middle;
  }
  return takenAt;
}

interface Primed {
  readonly kind: TokenPlan;
  readonly first: Exchange & { readonly token: Token };
  /** Makes further tokens with the same expiry. */
  readonly expiring: TokenPlan;
}

/** Has a binding cached for a token whose acceptance ends within about a second. */
async function prime(stage: Stage, on: Connection, kind: TokenPlan, edge: number): Promise<Primed> {
  // The clock's second may turn between minting and presenting.
  for (const lifetime of [edge, edge, edge]) {
    const expiring = { ...kind, lifetime, now: Math.floor(Date.now() / 1000) };
    const token = await stage.mint(expiring);
    const first = answered(
      stage,
      await stage.send(`${nameOf(kind)} whose acceptance is about to end`, { token }, { on }),
    );
    if (first.served) return { kind, expiring, first: { ...first, token } };
  }
  return stage.inconclusive(
    'the moment at which the target stops taking a token could not be pinned down to a second',
    'target',
  );
}

/** Waits until the target refuses tokens of this expiry that it has never seen. */
async function overFor(stage: Stage, on: Connection, { kind, expiring }: Primed): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT;
  let wait = SETTLED - (Date.now() % 1000);
  do {
    if (
      !answered(
        stage,
        await stage.send(
          `${nameOf(kind)} with the same expiry, never seen before`,
          { token: expiring },
          { on },
        ),
      ).served
    )
      return;
    await delay(wait);
    wait = 100;
  } while (performance.now() < deadline);
  stage.inconclusive(
    `tokens were still taken ${LONGEST_WAIT} ms after their acceptance ought to have ended`,
    'target',
  );
}
