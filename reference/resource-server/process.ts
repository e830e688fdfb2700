import { type Environment, SettingsError } from './settings.ts';
import type { RunningTarget } from './target.ts';

/** How long connections may take to end before the process leaves all the same, in milliseconds. */
const GRACE = 4000;

/** Runs a server as this process, until SIGTERM or SIGINT. A user's mistake is one line and an exit status. */
export async function run(
  starting: (
    environment: Environment,
    options: { readonly log: (line: string) => void },
  ) => Promise<RunningTarget>,
): Promise<void> {
  try {
    const target = await starting(process.env, { log: (line) => process.stderr.write(`${line}\n`) });
    process.stdout.write(`listening on port ${target.port}\n`);
    const stop = () => {
      setTimeout(() => process.exit(0), GRACE).unref();
      void target.close();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
