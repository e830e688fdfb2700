import type { Stage } from '../../harness/scenario/stage.ts';

/** How old a proof may be when it is first presented: the draft leaves the window of iat to the server (AMB-13). */

/** Ages beyond this, in seconds, are not looked for. */
const OLDEST = 6 * 3600;

/** How long a window may go on after it should have ended, in milliseconds: whole seconds, and a machine under load. */
const PATIENCE_MS = 2500;

/** Ages that a proof is made with, in seconds. Each leaves it valid for as long again, and a second more. */
const COMFORTABLE = [10, 5, 3, 2, 1] as const;

/** The clock, in seconds since 1970, with its fraction. */
export function seconds(): number {
  return Date.now() / 1000;
}

/**
 * The greatest age, in seconds, at which a proof is served, to within a step; `undefined` where there is none within
 * hours.
 */
async function endOfWindow(
  serves: (age: number) => Promise<boolean>,
  step: number,
): Promise<number | undefined> {
  let [within, beyond] = [0, OLDEST];
  if (await serves(beyond)) return undefined;
  while (beyond - within > step) {
    const middle = (within + beyond) / 2;
    if (await serves(middle)) within = middle;
    else beyond = middle;
  }
  return within;
}

async function servesIssuedAt(stage: Stage, iat: number): Promise<boolean> {
  return (await stage.send('another token with a proof of some age', { proof: { claims: { iat } } })).served;
}

/** Something that was served with a proof at the end of its window. */
export interface EndingWindow {
  /** The `iat` that it was served with. */
  readonly iat: number;
  /** Resolves when proofs with that `iat` are not accepted any more. */
  readonly over: () => Promise<void>;
}

/**
 * Presents something with a proof that is about to leave the window of iat.
 *
 * @param present whether it was served with a proof with this `iat`; called again with a later one where it was not
 * @returns `undefined` where no window ends within hours
 */
export async function atEndOfWindow(
  stage: Stage,
  present: (iat: number) => Promise<boolean>,
): Promise<EndingWindow | undefined> {
  // Fractions of a second (RFC 7519 §2) tell the end of the window closely, and spare the wait for the next second.
  const fine = await servesIssuedAt(stage, seconds() - 0.5);
  const before = (age: number): number => (fine ? seconds() - age : Math.floor(seconds() - age));
  const serves = (age: number): Promise<boolean> => servesIssuedAt(stage, before(age));
  const within = await endOfWindow(serves, fine ? 0.02 : 1);
  if (within === undefined) return undefined;
  for (const margin of [0.05, 0.2, 0.6, 1]) {
    const iat = before(within - margin);
    if (await present(iat)) return { iat, over: () => windowOver(stage, iat) };
  }
  return stage.inconclusive('the window of iat ended between a search and its use');
}

async function windowOver(stage: Stage, iat: number): Promise<void> {
  const patience = performance.now() + PATIENCE_MS;
  while (await servesIssuedAt(stage, iat)) {
    if (performance.now() > patience)
      stage.inconclusive('the window of iat did not end when it should have', 'target');
  }
}

/**
 * An age, in whole seconds, at which a proof is served and will be for as long again: what stands for "made a while
 * ago", however short the target's window is. 0 where only a proof of this very moment is served.
 */
export async function comfortableAge(stage: Stage): Promise<number> {
  for (const age of COMFORTABLE)
    if (await servesIssuedAt(stage, Math.floor(seconds()) - 2 * age - 1)) return age;
  return 0;
}
