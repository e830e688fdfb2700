import { availableParallelism, loadavg } from 'node:os';

const PROCESSORS = availableParallelism();
/** The system works its figure out anew every few seconds, and asking takes as long as making a signature. */
const LOAD_HOLDS_MS = 1000;
let load = 0;
let readAt = Number.NEGATIVE_INFINITY;

function currentLoad(): number {
  const now = performance.now();
  if (now - readAt >= LOAD_HOLDS_MS) {
    load = loadavg()[0] ?? 0;
    readAt = now;
  }
  return load;
}

/** However busy a machine is, a target that hangs must not hold up a run for ever: nothing is waited for more times longer. */
export const MOST_TIMES = 10;

/**
 * How long to wait where `milliseconds` are enough on a machine that has nothing else to do. On one that has more to do
 * than processors everybody is slow, the suite too, and that must not be held against a target.
 *
 * @param load processes that want to run, over the last minute; systems that do not tell count as idle
 */
export function patience(
  milliseconds: number,
  load: number = currentLoad(),
  processors: number = PROCESSORS,
): number {
  return Math.round(milliseconds * Math.min(MOST_TIMES, Math.max(1, load / processors)));
}
