import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AMBIGUITIES } from './catalogue.ts';
import { ledger } from './ledger.ts';

const committed = readFileSync(new URL('../../docs/ambiguities.md', import.meta.url), 'utf8');

test('the committed ledger is the generated one: npx node suites/requirements/ledger.ts > docs/ambiguities.md', () => {
  expect(committed).toBe(ledger());
});

test('the ledger has an entry for each ambiguity, in the catalogue’s order', () => {
  const headings = [...ledger().matchAll(/^## (.+)$/gm)].map(([, id]) => id);
  expect(headings).toEqual(AMBIGUITIES.map((entry) => entry.id));
});

test('the ledger leads from an ambiguity to its requirement and the scenarios of that', () => {
  const entry =
    ledger()
      .split('\n## ')
      .find((text) => text.startsWith('AMB-10\n')) ?? '';
  expect(entry).toMatch(
    /^Requirements: .*RS-HDR-1 \(RS-HDR-1, RS-HDR-1\.untyped, RS-HDR-1\.names, RS-HDR-1\.part\)/m,
  );
});

test('text of the catalogue is shown as it is written', () => {
  expect(ledger()).toContain(String.raw`tls\_exp`);
  expect(ledger()).not.toMatch(/[^`\\]tls_exp/);
});
