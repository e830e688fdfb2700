import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../usage-error.ts';
import { readMistakes, writeMistakes } from './mistakes.ts';
import type { Mistake } from './mistakes.ts';

function file(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsbt-mistakes-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'mutants.json');
}

const MISTAKES: readonly Mistake[] = [
  {
    id: 'M-RS-1',
    form: 'mutant',
    what: 'says "yes" to everything',
    breaks: Array.from({ length: 20 }, (_, index) => `RS-EKM-${index}`),
    also: ['TLSv1.2 h2 RSA'],
  },
  { id: 'V-RS-a', form: 'variant', what: 'is slow', breaks: [], also: [] },
];

test('reads what it wrote', async () => {
  const path = file();
  await writeMistakes(path, MISTAKES);
  expect(await readMistakes(path)).toEqual(MISTAKES);
});

test.each([
  ['no JSON', '['],
  ['no list', '{}'],
  ['a row without a mistake', JSON.stringify([{ ...MISTAKES[0], what: undefined }])],
  ['a form that is none', JSON.stringify([{ ...MISTAKES[0], form: 'monster' }])],
])('%s is told as the file’s fault', async (_, text) => {
  const path = file();
  writeFileSync(path, text);
  await expect(readMistakes(path)).rejects.toThrow(UsageError);
  await expect(readMistakes(path)).rejects.toThrow(/tsbt mutants --write/);
});
