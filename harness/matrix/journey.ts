import type { Pair } from './pair.ts';
import { isServed, seen } from './pair.ts';
import type { JourneyOutcome, JourneyResult, Step } from './record.ts';
import type { Outcome } from '../wire/connection.ts';
import type { Token } from '../forge/token.ts';

/** A way of using a client and a resource server together. */
export interface Journey {
  /** Such as `reconnect`. */
  readonly id: string;
  readonly title: string;
  /** Goes it. Resolves with one sentence on what it came to, throws {@link NotApplicable} where it cannot be gone. */
  go(pair: Pair, log: JourneyLog, loot: Loot | undefined): Promise<string>;
}

/** What an attacker has who once read along: a token and a proof of the client's, from a connection to another server. */
export interface Loot {
  readonly token: Token;
  readonly proof: string;
}

/** A journey that does not concern this pair; `message` says why. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** A journey in the middle of which nothing more can be told; `message` says why. */
export class Unclear extends Error {
  override readonly name = 'Unclear';
}

/** The steps of a journey while it is gone. */
export class JourneyLog {
  readonly steps: Step[] = [];
  readonly #pair: Pair;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  /** Asks for the resource through the client, which has to be served. */
  async served(what: string, token: Token): Promise<Outcome> {
    const outcome = await this.#pair.ask(token);
    this.step(what, seen(outcome), 'served', isServed(outcome));
    return outcome;
  }

  step(what: string, came: string, expected: string, ok: boolean): void {
    this.steps.push({ what, seen: came, expected, ok, connection: this.#pair.observer.connections });
  }
}

/** Goes a journey with a pair. Never throws for what the two do. */
export async function goOn(journey: Journey, pair: Pair, loot: Loot | undefined): Promise<JourneyResult> {
  const log = new JourneyLog(pair);
  const result = (outcome: JourneyOutcome, because: string): JourneyResult => ({
    journey: journey.id,
    title: journey.title,
    outcome,
    because,
    steps: log.steps,
  });
  try {
    const because = await journey.go(pair, log, loot);
    const wrong = log.steps.find(({ ok }) => !ok);
    return wrong === undefined
      ? result('pass', because)
      : result('fail', `${wrong.what}: ${wrong.seen}, and it has to be ${wrong.expected}`);
  } catch (error) {
    if (error instanceof NotApplicable) return result('not-applicable', error.message);
    return result('inconclusive', error instanceof Error ? error.message : String(error));
  }
}
