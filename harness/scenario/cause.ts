import type { Reading } from './expectation.ts';
import type { Deviation } from './record.ts';

/**
 * The likely cause of a failure and its cure, by what it explains; for the rest no cause is known, and none is printed.
 * A string explains what the verb is about: an invalid request that is served (`refuses`), a statement that does not
 * hold (`holds`), and, given to `accepts`, a valid request that is rejected. As the cause of a whole scenario, a
 * string never explains a rejection, an attack or another manner: those are to be named.
 */
export type Cause = string | Readonly<Partial<Record<Deviation, string>>>;

/** What a string explains as the cause of a scenario or of a variation. */
const PLAIN: readonly Deviation[] = ['served', 'statement'];

/**
 * The cause of a deviation, `null` if none is known.
 *
 * @param scenario the scenario's
 * @param own that of the attempt, which comes first; `null`: no cause is known, the scenario's does not explain it either
 * @param plain what `own` explains as a string
 */
export function explain(
  deviation: Deviation,
  scenario: Cause | null,
  own?: Cause | null,
  plain: readonly Deviation[] = PLAIN,
): string | null {
  if (own === null) return null;
  return part(own, deviation, plain) ?? part(scenario, deviation, PLAIN);
}

function part(
  cause: Cause | null | undefined,
  deviation: Deviation,
  plain: readonly Deviation[],
): string | null {
  if (cause === null || cause === undefined) return null;
  if (typeof cause === 'string') return plain.includes(deviation) ? cause : null;
  return cause[deviation] ?? null;
}

/** The causes of a scenario for its reader, each once. */
export function causeTexts(cause: Cause | null): readonly string[] {
  if (cause === null) return [];
  return typeof cause === 'string' ? [cause] : [...new Set(Object.values(cause))];
}

/** What came of a valid request instead of being served. */
export function deviationOf(kind: Reading['kind']): Deviation {
  if (kind === 'server-error') return kind;
  return kind === 'cut' || kind === 'no-answer' ? 'ended' : 'rejected';
}
