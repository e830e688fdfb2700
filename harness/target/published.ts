import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

const TARGETS = fileURLToPath(new URL('../../targets/', import.meta.url));

/**
 * The targets of this repository that run in containers: all manifests in the folders of `targets/` that say so, in the
 * order of their paths.
 *
 * @throws {UsageError} for a manifest that is wrong
 */
export async function containerTargets(): Promise<readonly Manifest[]> {
  const folders = (await readdir(TARGETS, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const files = await Promise.all(
    folders.map(async ({ name }) => {
      const entries = await readdir(join(TARGETS, name));
      return entries
        .filter((entry) => entry.endsWith('.yaml'))
        .map((entry) => relative(process.cwd(), join(TARGETS, name, entry)));
    }),
  );
  const manifests = await Promise.all(files.flat().toSorted().map(loadManifest));
  return manifests.filter(({ start }) => start.kind === 'container');
}
