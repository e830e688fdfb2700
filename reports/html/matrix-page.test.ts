import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { MatrixRecord } from '../../harness/matrix/record.ts';
import { viewOf, writeMatrix } from '../matrix.ts';
import { HOSTILE } from '../sample.ts';
import { sampleCell, sampleJourney, sampleMatrix } from '../sample-matrix.ts';
import { launchBrowser, noBrowser } from './browser.fixture.ts';
import { renderMatrix } from './matrix-page.ts';

const render = (change: Partial<MatrixRecord> = {}): string => renderMatrix(viewOf(sampleMatrix(change)));
const page = render();

const text = (markup: string): string =>
  markup
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

/** What lies between the place of a pair's drill-down and the next one. */
const drillDown = (of: string, pair: string): string =>
  text(of.slice(of.indexOf(`id="${pair}"`)).split('<details class="permutation"', 1)[0] ?? '');

const party = (name: string, problem?: string): MatrixRecord['clients'][number] => ({
  name,
  title: name,
  startedAs: name,
  reference: false,
  ...(problem !== undefined && { problem }),
});

test('the outcome stands in one sentence, and failures before what works', () => {
  expect(text(page)).toContain(
    '4 of 4 × 4 pairs work; 4 fail: reference-sidecar with openresty-gateway (resumption), ',
  );
  expect(text(page)).toContain('; 1 could not be told; 7 not run.');
  const order = ['id="matrix"', 'id="pairs-fail"', 'id="pairs-inconclusive"', 'id="pairs-pass"'];
  const places = order.map((part) => page.indexOf(part));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
});

test('a pair that fails says whose matter it is, and which step came out otherwise', () => {
  const pair = drillDown(page, 'python-client/rustls-gateway');
  expect(pair).toContain('Whose matter it is: the two together, neither by itself. python-client passes');
  expect(pair).toContain('request on a new connection 200 OK ✕ 401 … error=&quot;invalid_proof&quot; 2');
  expect(pair).toContain('9, 1 of them resumed');
  expect(pair).toContain('41,872 octets');
  expect(drillDown(page, 'go-client/openresty-gateway')).toContain('Whose matter it is: the server.');
  expect(drillDown(page, 'go-client/rustls-gateway')).not.toContain('Whose matter');
});

test('a failure of which nobody found out whose matter it is says so', () => {
  const cells = [sampleCell('go-client', 'rustls-gateway', [sampleJourney('reuse', 'fail')])];
  expect(drillDown(render({ cells }), 'go-client/rustls-gateway')).toContain(
    'Whose matter it is: not found out.',
  );
});

test('each outcome of a cell is told in a mark and a word', () => {
  const row = text(page.slice(page.indexOf('<table class="interop">')).split('</table>', 1)[0] ?? '');
  expect(row).toContain('✕ 1 fail · ✓ 4 pass · – 1 not applicable reconnect');
  expect(row).toContain('? 1 inconclusive · ✓ 5 pass');
  expect(row.match(/reference-(?:sidecar|resource-server) reference /g)).toHaveLength(2);
});

test('what could not be started is not run, and says why', () => {
  expect(page.match(/<a href="#client.swift-client">not run<\/a>/g)).toHaveLength(4);
  expect(page.match(/<a href="#server.java-gateway">not run<\/a>/g)).toHaveLength(3);
  expect(text(page)).toContain('not started: nothing listened on port 8443 within 30 s');
});

test.each([
  ['the sample', page],
  ['names that an address cannot hold', render(oddNames())],
])('every link leads to one place: %s', (_, markup) => {
  const ids = [...markup.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  const links = [...markup.matchAll(/ href="#([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(links.length).toBeGreaterThan(4);
  expect(links.filter((link) => !ids.includes(link))).toEqual([]);
});

function oddNames(): Partial<MatrixRecord> {
  const names = ['a b', 'a_b', 'a/b', '"><b>'];
  return {
    clients: names.map((name) => party(name)),
    servers: names.map((name) => party(name, name === 'a b' ? 'no' : undefined)),
    cells: names.flatMap((client) => names.slice(1).map((server) => sampleCell(client, server))),
  };
}

test('hostile text is there to be seen, and is text', () => {
  const seen = sampleJourney('reuse', 'fail', {
    because: HOSTILE,
    seen: HOSTILE,
    blame: { on: 'both', because: HOSTILE },
  });
  const hostile = render({
    clients: [{ ...party(HOSTILE), version: HOSTILE, homepage: HOSTILE }],
    servers: [party('s'), party('t', HOSTILE)],
    cells: [sampleCell(HOSTILE, 's', [seen])],
    problems: [HOSTILE],
  });
  expect(hostile).not.toMatch(/<img|<script| style="| onmouseover="/);
  expect(hostile).toContain('&lt;img src=x onerror=');
  expect(hostile.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}|[\u200b-\u200d\ufeff]/u);
  expect(hostile).toContain('script-src &#39;none&#39;');
});

test('what ran without clients, servers or pairs is a page, and no success', () => {
  const empty = render({ clients: [], servers: [], cells: [] });
  expect(empty).toContain('c-inconclusive');
  expect(text(empty)).toContain('0 of 0 × 0 pairs work.');
});

const RULES = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];

test(
  'in a browser: a cell opens its pair, axe finds nothing, and a phone of 360 px is wide enough',
  { timeout: 60_000 },
  async ({ skip }) => {
    skip(noBrowser !== undefined, noBrowser);
    const directory = mkdtempSync(join(tmpdir(), 'tsbt-matrix-'));
    try {
      const address = pathToFileURL(await writeMatrix(directory, sampleMatrix())).href;
      await using browser = await launchBrowser();
      const visited = await browser.newPage({ viewport: { width: 1200, height: 800 } });
      await visited.goto(address);
      const step = visited.locator('[id="go-client/rustls-gateway"]');
      expect(await step.isVisible()).toBe(false);
      await visited.locator('a[href="#go-client/rustls-gateway"]').focus();
      await visited.keyboard.press('Enter');
      await step.waitFor({ state: 'visible' });

      await visited.evaluate(
        'for (const details of document.querySelectorAll("details")) details.open = true',
      );
      await visited.evaluate(
        readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
      );
      for (const colorScheme of ['light', 'dark'] as const) {
        await visited.emulateMedia({ colorScheme });
        const found = await visited.evaluate<{
          violations: { id: string; nodes: { html: string }[] }[];
          passes: unknown[];
        }>(`axe.run(document, { runOnly: ${JSON.stringify(RULES)}, resultTypes: ['violations'] })`);
        expect(found.violations.map(({ id, nodes }) => [id, nodes.slice(0, 3)])).toEqual([]);
        expect(found.passes.length).toBeGreaterThan(15);
      }
      await visited.setViewportSize({ width: 360, height: 800 });
      expect(await visited.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
      expect(
        await visited
          .locator('.matrix-scroll')
          .evaluate((element) => element.scrollWidth > element.clientWidth),
      ).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
