import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJwt } from '../forge/read.ts';
import { tsbt } from './command-line.fixture.ts';

const DPOP_SUITES = ['dpop', 'dpop-confusion', 'as-confirmation', 'as-exchange-dpop', 'client-dpop'];

/** Every JWT in a text that says that it is a DPoP proof. */
function proofsIn(text: string): readonly string[] {
  return (text.match(/(?<![\w-])[\w-]{8,}\.[\w-]{2,}\.[\w-]*/g) ?? []).filter((compact) =>
    /dpop/i.test(JSON.stringify(readJwt(compact).header) ?? ''),
  );
}

test('no file of a report holds a DPoP proof that could be presented again, and each can be read in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dpop-'));
  try {
    const { code, errors } = await tsbt(
      'run',
      '--out',
      folder,
      ...DPOP_SUITES.flatMap((one) => ['--suite', one]),
    );
    expect([code, errors]).toEqual([0, '']);
    const files = await readdir(folder);
    expect(files.toSorted()).toEqual(['index.html', 'junit.xml', 'report.json', 'report.ndjson']);
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
    expect(texts.flatMap(proofsIn)).toEqual([]);
    const report = texts[files.indexOf('report.json')] ?? '';
    // In each role: in the field by its hash, and decoded beside it.
    expect(DPOP_SUITES.filter((suite) => !report.includes(`"suite":"${suite}"`))).toEqual([]);
    expect(report.match(/<DPoP proof sha-256 \w{16}…>/g)?.length).toBeGreaterThan(50);
    expect(report.match(/"dpop":\{"sha256"/g)?.length).toBeGreaterThan(50);
    expect(report.includes('by the key in its header')).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
