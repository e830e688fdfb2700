import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { jsonText } from './json-text.ts';
import { openStream, parseStream, readStream } from './ndjson.ts';
import { HOSTILE, sampleResult, sampleTarget } from './sample.ts';

const header = {
  tool: { name: 'tsbt', version: '0' },
  draft: '-06',
  startedAt: '2026-11-22T10:00:00Z',
  targets: [sampleTarget],
  planned: 2,
};
const footer = { complete: true, finishedAt: '2026-11-22T10:00:01Z', exitCode: 1 };
const first = sampleResult({ id: 'RS-A-1', suite: 's', title: 'plain', verdict: 'pass' });
const second = sampleResult({
  id: 'RS-A-2',
  suite: 's',
  title: HOSTILE,
  verdict: 'fail',
  reason: 'two\nlines\u2028',
});

let file = '';
beforeEach(() => {
  const directory = mkdtempSync(join(tmpdir(), 'tsbt-stream-'));
  file = join(directory, 'report.ndjson');
  return () => rmSync(directory, { recursive: true });
});

function wellFormed(result: typeof second): unknown {
  return JSON.parse(jsonText(result));
}

function whole(): string {
  using stream = openStream(file, header);
  stream.append(first);
  stream.append(second);
  stream.finish(footer);
  return readFileSync(file, 'utf8');
}

test('what is written is read back as it was, in well-formed text', () => {
  whole();
  const { complete, problems, results, header: read, footer: end } = readStream(file);
  expect({ complete, problems }).toEqual({ complete: true, problems: [] });
  expect(results).toEqual([first, wellFormed(second)]);
  expect(read).toMatchObject(header);
  expect(end).toEqual(footer);
});

test('a line is well-formed, whatever a target or a proof said', () => {
  using stream = openStream(file, header);
  const notes = ['half a pair: \ud800'];
  stream.append({ ...first, evidence: { ...first.evidence, notes } });
  const [, line = ''] = readFileSync(file, 'utf8').split('\n');
  expect(line).toContain('half a pair: \ufffd');
  expect(line).not.toContain('\\ud800');
});

test('a line is on disk as soon as it was appended', () => {
  using stream = openStream(file, header);
  stream.append(first);
  const read = readStream(file);
  expect(read.results).toEqual([first]);
  expect(read.complete).toBe(false);
  expect(read.problems.join()).toContain('no footer');
});

test('nothing can be added after the end', () => {
  using stream = openStream(file, header);
  stream.finish(footer);
  expect(() => stream.append(first)).toThrow(/finished/);
});

test('a stream cut off anywhere reads as incomplete, with the whole lines kept', () => {
  const octets = Buffer.from(whole());
  for (let end = 0; end < octets.length - 1; end += 97) {
    const { complete, results } = parseStream(octets.subarray(0, end).toString('utf8'));
    expect(complete).toBe(false);
    expect([[], [first], [first, wellFormed(second)]]).toContainEqual(results);
  }
});

test.each([
  [
    'a broken line in the middle',
    (text: string) => text.replace('"type":"result"', '"type":"resu'),
    /broken/,
  ],
  ['a foreign line', (text: string) => text.replace('"type":"result"', '"type":"other"'), /not a header/],
  [
    'an unknown verdict',
    (text: string) => text.replace('"verdict":"fail"', '"verdict":"fine"'),
    /not a header/,
  ],
  [
    'a missing result',
    (text: string) =>
      text
        .split('\n')
        .filter((line) => !line.includes('RS-A-1'))
        .join('\n'),
    /1 of 2 planned/,
  ],
  ['a missing header', (text: string) => text.split('\n').slice(1).join('\n'), /no header/],
  ['another version', (text: string) => text.replace('/report/1', '/report/9'), /another version/],
  [
    'an interrupted run',
    (text: string) => text.replace('"complete":true', '"complete":false'),
    /before all was done/,
  ],
  ['something after the footer', (text: string) => `${text}{"type":"header"}\n`, /after the footer/],
])('%s makes a stream incomplete', (_, spoil, problem) => {
  writeFileSync(file, spoil(whole()));
  const { complete, problems } = readStream(file);
  expect(complete).toBe(false);
  expect(problems.join('\n')).toMatch(problem);
});
