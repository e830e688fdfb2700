/**
 * The report as people meet it: in a browser. Needs a Chromium; `TSBT_CHROMIUM` names one, and
 * `TSBT_REQUIRE_BROWSER=1` makes its absence a failure.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { renderJunit } from '../junit.ts';
import { sampleReport } from '../sample.ts';
import { writeReport } from '../write.ts';
import { launchBrowser, noBrowser } from './browser.fixture.ts';

// A browser on a busy machine: slow is not wrong.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let browser: Browser;
let directory = '';
let address = '';

beforeAll(async () => {
  if (noBrowser !== undefined) return;
  directory = mkdtempSync(join(tmpdir(), 'tsbt-browser-'));
  await writeReport(sampleReport(), directory);
  address = pathToFileURL(join(directory, 'index.html')).href;
  browser = await launchBrowser();
});

beforeEach(({ skip }) => {
  skip(noBrowser !== undefined, noBrowser);
});

afterAll(async () => {
  if (noBrowser !== undefined) return;
  await browser.close();
  rmSync(directory, { recursive: true });
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Addresses of every request, and all that was said on the console, in dialogs or as an error. */
  readonly requests: string[];
  readonly messages: string[];
}

async function visit(
  options: { scheme?: 'light' | 'dark'; width?: number; script?: boolean; fragment?: string } = {},
): Promise<Visit> {
  const context = await browser.newContext({
    colorScheme: options.scheme ?? 'light',
    viewport: { width: options.width ?? 1200, height: 800 },
    javaScriptEnabled: options.script ?? true,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const messages: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(String(error)));
  page.on('dialog', (dialog) => {
    messages.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${address}${options.fragment ?? ''}`);
  return { page, requests, messages, [Symbol.asyncDispose]: () => context.close() };
}

const shownRows = (page: Page): Promise<string[]> =>
  page.locator('details.row:visible summary .id').allTextContents();

test('loads nothing but itself, says nothing, and runs nothing of the target’s', async () => {
  await using seen = await visit();
  await seen.page.getByRole('button', { name: 'Open shown' }).click();
  expect(seen.requests).toEqual([address]);
  expect(seen.messages).toEqual([]);
  expect(await seen.page.title()).toBe('Not conformant: ACME Edge Gateway');
  expect(await seen.page.locator('img').count()).toBe(0);
  expect(await seen.page.locator('bdi', { hasText: '\\u202egnp.exe' }).count()).toBeGreaterThan(0);
});

test('filters by verdict, suite and words, and keeps the filter in the address', async () => {
  await using seen = await visit();
  const { page } = seen;
  const all = await shownRows(page);
  await page.getByRole('checkbox', { name: 'fail' }).check();
  const failing = await shownRows(page);
  expect(failing).toEqual(['RS-EKM-5', 'RS-PL-4', 'RS-SIG-1', 'RS-HDR-4', 'RS-ERR-2', 'RS-T1']);
  await page.getByRole('combobox', { name: 'Suite' }).selectOption('JOSE attacks');
  expect(await shownRows(page)).toEqual(['RS-SIG-1', 'RS-HDR-4']);
  await page.getByRole('searchbox', { name: 'Search', exact: true }).fill('natural algorithm');
  expect(await shownRows(page)).toEqual(['RS-HDR-4']);
  expect(await page.locator('#count').textContent()).toBe(`1 of ${all.length} scenarios`);

  await using again = await visit({ fragment: await page.evaluate<string>('location.hash') });
  expect(await shownRows(again.page)).toEqual(['RS-HDR-4']);
  await again.page.getByRole('searchbox', { name: 'Search', exact: true }).fill('no such words');
  expect(await again.page.getByText('No scenario fits').isVisible()).toBe(true);
  await again.page.getByRole('button', { name: 'Clear' }).click();
  expect(await shownRows(again.page)).toEqual(all);
});

test('can be used with the keyboard alone', async () => {
  await using seen = await visit();
  const { page } = seen;
  await page.keyboard.press('/');
  expect(await page.evaluate<string>('document.activeElement.name')).toBe('q');
  await page.keyboard.type('RS-T1');
  const row = page.locator('details.row:visible');
  for (
    let step = 0;
    step < 20 && !(await row.locator('> summary').evaluate((element) => element.matches(':focus')));
    step += 1
  )
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await row.getAttribute('open')).not.toBeNull();
  expect(await row.getByText('Mallory reads Alice’s resource').isVisible()).toBe(true);
});

test('a link in the summary opens the scenario it names, also one that is filtered out', async () => {
  await using seen = await visit({ fragment: '#v=pass' });
  const { page } = seen;
  await page.locator('.consequences').getByRole('link', { name: 'RS-EKM-5' }).click();
  const row = page.locator('[id="s.acme-gateway.RS-EKM-5"]');
  await row.getByText('Likely cause and cure').waitFor({ state: 'visible' });
  expect(await row.locator('mark').allTextContents()).toEqual([
    'this connection’s exporter value',
    'the exporter value of c2',
  ]);
});

test('the mistakes that the suite would catch have a search of their own', async () => {
  await using seen = await visit();
  const { page } = seen;
  const mistakes = page.locator('#mistakes tbody tr:visible th');
  expect(await mistakes.allTextContents()).toEqual([]);
  await page.getByRole('searchbox', { name: 'Search mistakes' }).fill('RS-T1 compares');
  expect(await mistakes.allTextContents()).toEqual(['M-RS-21']);
  expect(await page.locator('#catch-count').textContent()).toBe('1 of 3 mistakes');
  // A link to one that the search has put away brings it back, and leaves the filter of the results alone.
  await page.getByRole('checkbox', { name: 'fail' }).check();
  await page.getByRole('searchbox', { name: 'Search mistakes' }).fill('stored');
  await page.locator('.likeness').getByRole('link', { name: 'M-RS-21' }).click();
  // The page follows a link in an event of its own, some time after the click.
  await mistakes.filter({ hasText: 'M-RS-21' }).waitFor();
  expect(await mistakes.allTextContents()).toEqual(['M-RS-21', 'M-RS-105']);
  expect(await page.getByRole('checkbox', { name: 'fail' }).isChecked()).toBe(true);
});

test('without script it is a plain list', async () => {
  await using seen = await visit({ script: false });
  expect(await seen.page.locator('#filter').isVisible()).toBe(false);
  expect(await seen.page.locator('.headline', { hasText: 'Not conformant' }).isVisible()).toBe(true);
  const row = seen.page.locator('[id="s.acme-gateway.RS-EKM-5"]');
  await row.locator('> summary').click();
  expect(await row.getByText('the proof of c2, which is still open').isVisible()).toBe(true);
});

test('the theme can be turned', async () => {
  await using seen = await visit({ scheme: 'dark' });
  const background = (): Promise<string> =>
    seen.page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  const dark = await background();
  const button = seen.page.getByRole('button', { name: 'Dark' });
  expect(await button.getAttribute('aria-pressed')).toBe('true');
  await button.click();
  expect(await button.getAttribute('aria-pressed')).toBe('false');
  expect(await background()).not.toBe(dark);
});

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

test('has no accessibility violation that axe finds, rows opened, light and dark', async () => {
  await using seen = await visit();
  // One row of each kind: axe takes long over hundreds of the same.
  const rows = ['RS-EKM-1', 'RS-EKM-5', 'RS-HDR-4', 'RS-ERR-4', 'RS-T1'].map((id) => `[id$=".${id}"]`).join();
  const opened = `:is(${rows}, .area, .more), :is(${rows}) details`;
  await seen.page.evaluate(
    `for (const details of document.querySelectorAll(${JSON.stringify(opened)})) details.open = true`,
  );
  const check = (
    type: 'tag' | 'rule',
    values: readonly string[],
  ): Promise<{ violations: Violation[]; passes: unknown[] }> =>
    seen.page.evaluate(
      `axe.run(document, { runOnly: ${JSON.stringify({ type, values })}, resultTypes: ['violations'] })`,
    );
  await seen.page.evaluate(axe);
  const light = await check('tag', ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']);
  expect(light.violations.map(({ id, nodes }) => [id, nodes.slice(0, 3)])).toEqual([]);
  expect(light.passes.length).toBeGreaterThan(20);
  // The scheme changes colours and nothing else.
  await seen.page.emulateMedia({ colorScheme: 'dark' });
  const dark = await check('rule', ['color-contrast', 'link-in-text-block']);
  expect(dark.violations.map(({ id, nodes }) => [id, nodes.slice(0, 3)])).toEqual([]);
  expect(dark.passes.length).toBeGreaterThan(0);
});

test('fits a phone of 360 px without scrolling sideways, everything opened', async () => {
  await using seen = await visit({ width: 360 });
  await seen.page.evaluate('for (const details of document.querySelectorAll("details")) details.open = true');
  expect(await seen.page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
});

test('opens everything on paper', async () => {
  await using seen = await visit();
  await seen.page.emulateMedia({ media: 'print' });
  expect(await seen.page.getByText('Mallory reads Alice’s resource').isVisible()).toBe(true);
  expect(await seen.page.locator('#filter').isVisible()).toBe(false);
});

test('the JUnit file of the same report parses as XML', async () => {
  await using seen = await visit();
  const xml = renderJunit(sampleReport());
  const parsed = await seen.page.evaluate<number[]>(
    `{ const tree = new DOMParser().parseFromString(${JSON.stringify(xml)}, 'application/xml');
      [tree.querySelectorAll('parsererror').length, tree.querySelectorAll('testcase').length] }`,
  );
  expect(parsed).toEqual([0, sampleReport().results.length + 1]);
});
