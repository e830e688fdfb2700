import { SettingsError } from '../resource-server/settings.ts';
import { start } from './target.ts';

/** How long connections may take to end before the process leaves all the same, in milliseconds. */
const GRACE = 4000;

try {
  const target = await start(process.env, { log: (line) => process.stderr.write(`${line}\n`) });
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
