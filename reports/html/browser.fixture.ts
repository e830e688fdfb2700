import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const PLACES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map(
  (name) => `/usr/bin/${name}`,
);

const named = process.env['TSBT_CHROMIUM'];
const path = [...(named === undefined ? PLACES : [named])].find((place) => existsSync(place));

/**
 * Why no page is looked at, in words; undefined where a browser is there. A browser that was named is what was looked
 * for: there is no going on to another one.
 *
 * @throws {Error} where TSBT_REQUIRE_BROWSER=1 makes its absence a failure
 */
export const noBrowser: string | undefined = (() => {
  if (path !== undefined) return undefined;
  const reason =
    named === undefined || named === ''
      ? 'No browser was found; TSBT_CHROMIUM can name one.'
      : `There is no browser at ${named} (TSBT_CHROMIUM).`;
  if (process.env['TSBT_REQUIRE_BROWSER'] === '1') throw new Error(`TSBT_REQUIRE_BROWSER is set. ${reason}`);
  console.warn(`Not run: tests that look at a page in a browser. ${reason}`);
  return reason;
})();

/** Starts the browser; only where {@link noBrowser} is undefined. */
export function launchBrowser(): Promise<Browser> {
  if (path === undefined) throw new Error(noBrowser);
  const args = [
    '--no-sandbox',
    '--no-first-run',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return chromium.launch({ executablePath: path, args });
}
