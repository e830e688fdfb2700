const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Watches for the user's wish to stop. */
export interface Interruption extends Disposable {
  readonly interrupted: boolean;
}

/**
 * Turns the first SIGINT or SIGTERM into a wish to stop, so that everything is torn down and the report is
 * still written; the second ends the process at once. Takes the place of vitest's handlers, which end the
 * process without any of that: call it after vitest is created.
 */
export function onInterruption(stop: () => void): Interruption {
  let asked = 0;
  const handle = (signal: NodeJS.Signals): void => {
    asked++;
    if (asked > 1) process.exit(signal === 'SIGINT' ? 130 : 143);
    process.stderr.write('\nStopping: ending what was started and writing the report of what is there (again to end at once).\n');
    stop();
  };
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal);
    process.on(signal, handle);
  }
  return {
    get interrupted() {
      return asked > 0;
    },
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}
