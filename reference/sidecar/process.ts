import { SettingsError } from './settings.ts';
import type { RunningTarget, start } from './target.ts';

/** How long connections may take to end before the process leaves all the same, in milliseconds. */
const GRACE = 4000;

/**
 * Runs a target as this process, until SIGTERM or SIGINT. On SIGHUP it reads its certificate and key anew; where
 * these are unusable it says so and goes on with the old ones. A user's mistake is one line and an exit status.
 */
export async function run(starting: typeof start): Promise<void> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  let target: RunningTarget;
  try {
    target = await starting(process.env, { log });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    log(error.message);
    process.exitCode = error.exitCode;
    return;
  }
  const stop = () => {
    setTimeout(() => process.exit(0), GRACE).unref();
    process.off('SIGHUP', reload);
    void target.close();
  };
  const reload = () => {
    target.reload().then(
      () => log('certificate and key were read anew'),
      (error: unknown) =>
        log(error instanceof SettingsError ? error.message : 'certificate and key cannot be used'),
    );
  };
  process.on('SIGHUP', reload);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`listening on port ${target.port}\n`);
}
