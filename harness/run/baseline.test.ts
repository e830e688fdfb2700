import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ResultRecord, Verdict } from '../scenario/record.ts';
import { UsageError } from '../usage-error.ts';
import { baselineOf, readBaseline, staleEntries, writeBaseline } from './baseline.ts';
import { exitCodeOf } from './exit-code.ts';

function result(scenario: string, verdict: Verdict, target = 't'): ResultRecord {
  return {
    target,
    scenario,
    requirement: scenario,
    level: 'MUST',
    suite: 's',
    title: 't',
    permutation: { tls: 'TLSv1.3', http: 'http/1.1', key: 'P-256' },
    verdict,
    attribution: verdict === 'pass' ? null : 'target',
    reason: verdict === 'pass' ? null : `${scenario} was served\nand again`,
    cause: null,
    durationMs: 1,
    evidence: { connections: [], exchanges: [], pairs: [], notes: [] },
  };
}

async function folder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tsbt-baseline-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

test('a baseline that is written is read again', async () => {
  const file = join(await folder(), 'baseline.json');
  const results = [result('A', 'fail'), result('B', 'pass'), result('A', 'fail', 'u')];
  await writeBaseline(file, results);
  expect(await readBaseline(file)).toEqual({ t: { A: 'A was served' }, u: { A: 'A was served' } });
  expect(await readBaseline(file)).toEqual(baselineOf(results));
});

test.each([
  ['not YAML', 'a: [', /baseline/],
  ['a list', '- A', /is not a baseline/],
  ['reasons that are no text', 't:\n  A: 1\n', /is not a baseline/],
  ['duplicate entries', 't:\n  A: x\n  A: y\n', /unique/i],
])('%s is refused as a mistake of the user', async (_what, text, message) => {
  const file = join(await folder(), 'baseline.yaml');
  await writeFile(file, text);
  const reading = readBaseline(file);
  await expect(reading).rejects.toThrow(UsageError);
  await expect(reading).rejects.toThrow(message);
});

test('a missing file is a mistake of the user', async () => {
  await expect(readBaseline(join(await folder(), 'none.yaml'))).rejects.toThrow(
    /none\.yaml.*\n.*--write-baseline/,
  );
});

test('an entry goes stale when its scenario does not fail any more, or does not exist', () => {
  const exists = (id: string): boolean => id !== 'GONE';
  const results = [result('A', 'fail'), result('B', 'pass'), result('C', 'inconclusive')];
  const stale = staleEntries('t', { A: '', B: '', C: '', GONE: '', 'NOT-RUN': '' }, results, exists);
  expect(stale).toHaveLength(2);
  expect(stale[0]).toMatch(/B fails, and it does not any more \(pass\)/);
  expect(stale[1]).toMatch(/GONE, and there is no such scenario/);
});

const finished = { planned: 1, complete: true, targetMissing: false, stale: [], known: () => false };

test.each([
  ['all pass', { results: [result('A', 'pass')] }, 0],
  ['warnings and observations', { results: [result('A', 'warn'), result('B', 'info')] }, 0],
  ['a failure', { results: [result('A', 'fail')] }, 1],
  ['a failure in a run that is incomplete', { results: [result('A', 'fail')], complete: false }, 1],
  ['a known failure', { results: [result('A', 'fail')], known: () => true }, 0],
  ['a stale baseline', { results: [result('A', 'pass')], stale: ['x'] }, 3],
  ['an inconclusive result', { results: [result('A', 'pass'), result('B', 'inconclusive')] }, 4],
  ['nothing but not-applicable', { results: [result('A', 'not-applicable')] }, 4],
  ['nothing at all', { results: [], planned: 0 }, 4],
  ['a result that is missing', { results: [result('A', 'pass')], planned: 2 }, 4],
  ['a target that did not start', { results: [result('A', 'pass')], targetMissing: true }, 4],
] as const)('%s', (_what, change, code) => {
  expect(exitCodeOf({ ...finished, ...change })).toBe(code);
});
