import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { claimFolder } from './report-folder.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tsbt-report-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

test('a folder is made, claimed, and let go of', async () => {
  const out = join(await folder(), 'new');
  const claim = await claimFolder(out);
  expect(await exists(join(out, '.run'))).toBe(true);
  claim[Symbol.dispose]();
  expect(await exists(join(out, '.run'))).toBe(false);
  expect(await exists(out)).toBe(true);
});

test('a folder that another run writes into is refused', async () => {
  const out = await folder();
  const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await writeFile(join(out, '.run'), `${other.pid ?? 0}\n`);
  await expect(claimFolder(out)).rejects.toThrow(
    new UsageError(
      '--out',
      `another run (process ${other.pid ?? 0}) is writing into ${out}`,
      'Wait for its end, or give another folder with --out DIR.',
    ),
  );
  const ended = once(other, 'exit');
  other.kill();
  await ended;
  (await claimFolder(out))[Symbol.dispose]();
});

test.each(['', 'nonsense', '-1', '999999999'])('the claim of nobody (%j) does not count', async (text) => {
  const out = await folder();
  await writeFile(join(out, '.run'), text);
  const claim = await claimFolder(out);
  expect(await exists(join(out, '.run'))).toBe(true);
  claim[Symbol.dispose]();
});
