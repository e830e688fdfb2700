import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from '../../certs/identity.ts';
import { identityFiles } from './environment.ts';
import type { Promised, TargetEnvironment } from './environment.ts';

/** The environment of one target on this machine, with the files that it names. Releasing it removes the files. */
export interface EnvironmentFolder extends AsyncDisposable {
  readonly variables: TargetEnvironment;
  /** Writes another certificate and key into the files that the target was given. */
  replaceIdentity(identity: Identity): Promise<void>;
}

/** Writes what a target was promised into files that only this user may read, and names them in environment variables. */
export async function writeEnvironment({ values, files }: Promised): Promise<EnvironmentFolder> {
  // mkdtemp makes the folder with mode 0700.
  const folder = await mkdtemp(join(tmpdir(), 'tsbt-target-'));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  const write = async (wanted: Promised['files']): Promise<TargetEnvironment> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(wanted).map(async ([variable, { name, text }]) => {
          const path = join(folder, name);
          await writeFile(path, text, { mode: 0o600 });
          return [variable, path] as const;
        }),
      ),
    );
  try {
    return {
      variables: { ...values, ...(await write(files)) },
      replaceIdentity: async (identity) => void (await write(identityFiles(identity))),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
