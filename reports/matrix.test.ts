import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MatrixRecord } from '../harness/matrix/record.ts';
import { UsageError } from '../harness/usage-error.ts';
import { matrixSummary, viewOf, writeMatrix } from './matrix.ts';
import { HOSTILE } from './sample.ts';
import { sampleCell, sampleJourney, sampleMatrix } from './sample-matrix.ts';

const plain = { color: false };
const lines = (record: MatrixRecord): string[] => matrixSummary(record, plain).split('\n');

test('a pair fails with one journey, works where some passed, and is open where none did', () => {
  const none = sampleCell('a', 'b').journeys.map(({ journey }) => sampleJourney(journey, 'not-applicable'));
  const verdict = (...other: Parameters<typeof sampleCell>[2][]): string | undefined =>
    viewOf(sampleMatrix({ cells: [sampleCell('a', 'b', ...other)] })).pairs[0]?.verdict;
  expect(verdict()).toBe('pass');
  expect(verdict(none.slice(1))).toBe('pass');
  expect(verdict(none)).toBe('inconclusive');
  expect(verdict([sampleJourney('reuse', 'inconclusive')])).toBe('inconclusive');
  expect(verdict([sampleJourney('reuse', 'inconclusive'), sampleJourney('replay', 'fail')])).toBe('fail');
});

test('the matrix as a whole works only where every pair was run and works', () => {
  const { clients, servers } = sampleMatrix();
  const cells = clients.flatMap(({ name }) => servers.map((server) => sampleCell(name, server.name)));
  expect(viewOf(sampleMatrix({ cells }))).toMatchObject({
    verdict: 'pass',
    outcome: '16 of 4 × 4 pairs work.',
  });
  expect(viewOf(sampleMatrix({ cells: cells.slice(1) }))).toMatchObject({
    verdict: 'inconclusive',
    outcome: '15 of 4 × 4 pairs work; 1 not run.',
  });
});

test('a table of clients by servers, then a line for each failing pair and for what was not started', () => {
  const told = lines(sampleMatrix());
  expect(told).toContain(
    '                      reference-resource-server*  openresty-gateway  rustls-gateway   java-gateway',
  );
  expect(told).toContain(
    '  python-client       ? 1 · ✓ 5                   ✕ 1 · ✓ 5          ✕ 1 · ✓ 4 · – 1  not run',
  );
  expect(told).toContain(
    '  ✕ python-client with rustls-gateway: reconnect (the two together, neither by itself)',
  );
  expect(told).toContain('  ✕ go-client with openresty-gateway: resumption (the server)');
  expect(told).toContain('  – java-gateway was not started: nothing listened on port 8443 within 30 s');
  expect(told.slice(-2)).toEqual(['4 of 4 × 4 pairs work; 4 fail; 1 could not be told; 7 not run.', '']);
});

test('journeys whose failure is the matter of the same side are told together', () => {
  const blame = { on: 'client', because: 'x' } as const;
  const failures = [
    sampleJourney('reuse', 'fail', { blame }),
    sampleJourney('resumption', 'fail'),
    sampleJourney('replay', 'fail', { blame }),
  ];
  expect(lines(sampleMatrix({ cells: [sampleCell('a', 'b', failures)] }))).toContain(
    '  ✕ a with b: reuse, replay (the client); resumption (not found out)',
  );
});

test('many servers stand in several tables, no line of which is too wide', () => {
  const servers = Array.from({ length: 13 }, (_, index) => ({
    name: `server-${index}-${'x'.repeat(index * 4)}`,
    title: 'One of many',
    startedAs: 'module',
    reference: false,
  }));
  const told = lines(sampleMatrix({ servers, cells: [sampleCell('go-client', 'server-0-')] }));
  expect(Math.max(...told.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(told.filter((line) => line.includes('go-client ')).length).toBeGreaterThan(2);
  expect(told.join('\n').match(/server-\d+-/g)).toHaveLength(13);
});

test('no control character but the line feed, nor a forged line, whatever a target says', () => {
  const name = `x\nall is well ${HOSTILE}`;
  const clients = [{ name, title: name, startedAs: 'module', reference: true, problem: HOSTILE }];
  const record = sampleMatrix({ clients, problems: [`${HOSTILE}\nall is well`] });
  const told = lines(record);
  expect(told.join('')).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
  expect(told.filter((line) => line.startsWith('all is well'))).toEqual([]);
  expect(Math.max(...told.map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('colours only when asked for, and only at what is coloured', () => {
  expect(matrixSummary(sampleMatrix(), { color: true })).toContain('\u001b[31m✕ 1 · ✓ 5\u001b[0m  ');
  expect(matrixSummary(sampleMatrix(), { color: true }).replaceAll(/\u001b\[\d+m/g, '')).toBe(
    matrixSummary(sampleMatrix(), plain),
  );
});

test('writes the record as it is, and the page', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsbt-matrix-'));
  try {
    const page = await writeMatrix(join(directory, 'new', 'folder'), sampleMatrix());
    expect(JSON.parse(readFileSync(join(directory, 'new', 'folder', 'matrix.json'), 'utf8'))).toEqual(
      sampleMatrix(),
    );
    expect(page).toBe(join(directory, 'new', 'folder', 'index.html'));
    expect(readFileSync(page, 'utf8')).toContain('<title>Interop matrix: 4 pairs fail</title>');
    writeFileSync(join(directory, 'file'), '');
    await expect(writeMatrix(join(directory, 'file'), sampleMatrix())).rejects.toThrow(UsageError);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
