import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../certs/directory.ts';
import { UsageError } from '../usage-error.ts';

/** Names the process that writes into the folder, for as long as it does. */
const CLAIM = '.run';

/**
 * Makes the folder of a report, and claims it: two runs that write into one would mix their results. The claim of a
 * process that is gone does not count. Released when disposed, or when the process ends.
 *
 * @throws {UsageError} when the folder cannot be made or written, or another run is writing into it
 */
export async function claimFolder(out: string): Promise<Disposable> {
  const file = join(out, CLAIM);
  try {
    await makeDirectory(out);
    await access(out, constants.W_OK);
    claim(file, out);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      '--out',
      `${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      'Give a folder that you may write with --out DIR.',
    );
  }
  const release = (): void => {
    process.off('exit', release);
    rmSync(file, { force: true });
  };
  process.on('exit', release);
  return { [Symbol.dispose]: release };
}

function claim(file: string, out: string): void {
  const own = `${process.pid}\n`;
  try {
    writeFileSync(file, own, { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const pid = Number(readFileSync(file, 'utf8'));
    if (runs(pid))
      throw new UsageError(
        '--out',
        `another run (process ${pid}) is writing into ${out}`,
        'Wait for its end, or give another folder with --out DIR.',
      );
    writeFileSync(file, own);
  }
}

function runs(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's, but there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
