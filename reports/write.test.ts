import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, onTestFinished, test } from 'vitest';
import { UsageError } from '../harness/usage-error.ts';
import { jsonText } from './json-text.ts';
import type { Report } from './model.ts';
import { sampleReport, sampleResult } from './sample.ts';
import schema from './report.schema.json' with { type: 'json' };
import { writeReport } from './write.ts';

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsbt-report-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

const validate = new Ajv2020({
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
}).compile(schema);
const asJson = (report: Report): Record<string, unknown> =>
  JSON.parse(JSON.stringify(report)) as Record<string, unknown>;

test('writes the three files, whole, and nothing else', async () => {
  const directory = join(folder(), 'new', 'deep');
  const report = sampleReport();
  await writeReport(report, directory);
  expect(readdirSync(directory).toSorted()).toEqual(['index.html', 'junit.xml', 'report.json']);
  const written: unknown = JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8'));
  expect(written).toEqual(JSON.parse(jsonText(report)));
  expect(readFileSync(join(directory, 'index.html'), 'utf8')).toMatch(/^<!doctype html>[^]*<\/html>\s*$/);
});

test('writes well-formed data, whatever a target or a proof said', async () => {
  const directory = folder();
  const result = sampleResult({ id: 'RS-A-1', suite: 's', title: 'half a pair: \ud800', verdict: 'pass' });
  await writeReport(sampleReport({ results: [result] }), directory);
  const text = readFileSync(join(directory, 'report.json'), 'utf8');
  expect(text).toContain('half a pair: \ufffd');
  expect(text).not.toMatch(/\\ud800/i);
});

test('a report that is written again replaces the one before', async () => {
  const directory = folder();
  await writeReport(sampleReport(), directory);
  await writeReport(sampleReport({ results: [] }), directory);
  expect(JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8'))).toMatchObject({ results: [] });
});

test('a folder that cannot be written is the user’s mistake', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const writing = writeReport(sampleReport(), join(file, 'report'));
  await expect(writing).rejects.toThrow(UsageError);
  await expect(writing).rejects.toThrow(/--out .*: the report cannot be written there[^]*Choose a folder/);
});

test('report.json follows its schema', () => {
  validate(asJson(sampleReport()));
  expect(validate.errors).toBeNull();
});

const passed = sampleResult({ id: 'RS-A', suite: 's', title: 't', verdict: 'pass' });
test.each<[string, Record<string, unknown>]>([
  ['another schema', { ...asJson(sampleReport()), schema: 'x' }],
  ['a member the schema does not know', { ...asJson(sampleReport()), more: 1 }],
  ['a time that is none', { ...asJson(sampleReport()), startedAt: 'yesterday' }],
  ['an exit code that is none', asJson(sampleReport({ exitCode: 7 }))],
  ['a pass with a reason', asJson(sampleReport({ results: [{ ...passed, reason: 'but' }] }))],
  [
    'a fail without attribution',
    asJson(sampleReport({ results: [{ ...passed, verdict: 'fail', reason: 'r' }] })),
  ],
])('the schema refuses %s', (_, report) => {
  expect(validate(report)).toBe(false);
});
