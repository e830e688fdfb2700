import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory and its missing parents. Where even a parent that exists takes no new entry (as in
 * `/proc`), this ends with that error; Node's own recursive `mkdir` does not end at all there.
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  if ((await make(path, mode)) || dirname(path) === path) return;
  await makeDirectory(dirname(path), mode);
  if (!(await make(path, mode))) throw new Error(`ENOENT: cannot be created, mkdir '${path}'`);
}

/** False where a parent is missing. */
async function make(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT') return false;
    throw error;
  }
}
