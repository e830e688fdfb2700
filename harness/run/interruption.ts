/** Each with the exit status of a process that it ends. SIGHUP comes when the terminal is closed. */
const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Watches for the user's wish to stop. */
export interface Interruption extends Disposable {
  readonly interrupted: boolean;
  /** What to do at the first wish, from now on. Done at once when it has been uttered already. */
  stopWith(stop: () => void): void;
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into a wish to stop, so that everything is torn down and the report is
 * still written; the second ends the process at once, by way of its `exit` handlers.
 */
export function watchInterruption(): Interruption {
  let asked = 0;
  let stop: () => void = () => undefined;
  const handle = (signal: keyof typeof STATUS): void => {
    asked++;
    if (asked > 1) process.exit(STATUS[signal]);
    process.stderr.write(
      '\nStopping: ending what was started and writing the report of what is there (again to end at once).\n',
    );
    stop();
  };
  // vitest's own handlers end the process without tear-down and without report: nobody else gets these signals.
  const onNewListener = (name: string | symbol, listener: (...given: unknown[]) => void): void => {
    const signal = SIGNALS.find((one) => one === name);
    if (signal !== undefined && listener !== handle) queueMicrotask(() => process.off(signal, listener));
  };
  for (const signal of SIGNALS) {
    process.removeAllListeners(signal);
    process.on(signal, handle);
  }
  process.on('newListener', onNewListener);
  return {
    get interrupted() {
      return asked > 0;
    },
    stopWith(next) {
      stop = next;
      if (asked > 0) stop();
    },
    [Symbol.dispose]() {
      process.off('newListener', onNewListener);
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}
