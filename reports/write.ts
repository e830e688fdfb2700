import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../harness/usage-error.ts';
import { renderHtml } from './html/page.ts';
import { jsonText } from './json-text.ts';
import { renderJunit } from './junit.ts';
import type { Report } from './model.ts';

/** Writes beside the destination and renames: a reader sees the old file or the new one, never a half. */
async function writeWhole(file: string, content: string): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await writeFile(draft, content);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/**
 * Writes `report.json` (the model as it is, on one line), `index.html` and `junit.xml` into `directory`,
 * which is made where it is missing. Throws {@link UsageError} where the directory cannot be written.
 */
export async function writeReport(report: Report, directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    // The data first: should rendering meet something it cannot show, the results are on disk.
    await writeWhole(join(directory, 'report.json'), `${jsonText(report)}\n`);
    await writeWhole(join(directory, 'junit.xml'), renderJunit(report));
    await writeWhole(join(directory, 'index.html'), renderHtml(report));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new UsageError(
      `--out ${directory}`,
      `the report cannot be written there (${error.message})`,
      'Choose a folder that can be written, with --out DIR.',
    );
  }
}
