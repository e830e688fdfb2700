import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import {
  killText,
  readExactKillSets,
  readKill,
  readKillSets,
  readUnkilled,
  writeKillSets,
} from './kill-sets.ts';

async function file(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tsbt-kill-sets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'sets.json');
  await writeFile(path, text);
  return path;
}

test('an entry says the scenario, and the verdict where it is not a failure', () => {
  for (const verdict of ['fail', 'warn', 'not-applicable'] as const) {
    expect(readKill(killText('RS-X-1.more', verdict))).toEqual({ scenario: 'RS-X-1.more', verdict });
  }
  expect(killText('RS-X-1', 'fail')).toBe('RS-X-1');
  expect(killText('RS-X-1', 'warn', 3)).toBe('RS-X-1 warn ×3');
  expect(readKill('RS-X-1 warn ×3')).toEqual({ scenario: 'RS-X-1', verdict: 'warn' });
  expect(readKill('RS-X-1 ×12')).toEqual({ scenario: 'RS-X-1', verdict: 'fail' });
});

test('what is written is read again, and has a line for each entry', async () => {
  const path = await file('');
  const sets = { 'M-1': ['RS-X-1 ×2', 'RS-X-2 warn'], 'V-1': [] };
  await writeKillSets(path, sets);
  expect(await readExactKillSets(path)).toEqual(sets);
  expect(await readKillSets(path)).toEqual({ 'M-1': ['RS-X-1', 'RS-X-2 warn'], 'V-1': [] });
  expect(await readFile(path, 'utf8')).toMatch(/^ +"RS-X-1 ×2",\n +"RS-X-2 warn"\n/m);
});

test.each(['not JSON', '[]', 'null', '{ "M-1": "RS-X-1" }', '{ "M-1": [1] }'])(
  'kill sets that read %s are the user’s to restore',
  async (text) => {
    await expect(readKillSets(await file(text))).rejects.toThrow(UsageError);
  },
);

test('a reason for no kill is text', async () => {
  expect(await readUnkilled(await file('{ "RS-X-1": "a reason" }'))).toEqual({ 'RS-X-1': 'a reason' });
  await expect(readUnkilled(await file('{ "RS-X-1": 1 }'))).rejects.toThrow(UsageError);
  await expect(readUnkilled('/nowhere/unkilled.json')).rejects.toThrow(/tsbt mutants --write/);
});
