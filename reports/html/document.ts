import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { raw } from 'hono/html';
import { visibleLine } from '../visible.ts';
import { html, type Markup } from './markup.ts';

/** Style sheets by subject, in the order in which they apply. */
const STYLES = ['base', 'summary', 'results', 'evidence', 'appendix', 'matrix', 'interop', 'narrow', 'print'];

/** A file that goes into pages as it is. */
export const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const hash = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/** Octet for octet what was hashed: a template would be free to change white space. */
const element = (name: 'style' | 'script', content: string): Markup => raw(`<${name}>${content}</${name}>`);

/**
 * One self-contained HTML file. It loads nothing; its policy allows the one style and the one script in it, by hash, so
 * that markup which slipped through could not run either.
 *
 * @param page.skip id of the part that a keyboard user goes on with, and what to call the way there
 */
export function documentOf(page: {
  readonly title: string;
  readonly skip: readonly [id: string, words: string];
  readonly script?: string;
  readonly body: Markup;
}): string {
  const style = STYLES.map((name) => asset(`./style/${name}.css`)).join('');
  const script = page.script === undefined ? `'none'` : hash(page.script);
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${script}; base-uri 'none'; form-action 'none'`;
  const [skipTo, skipWords] = page.skip;
  return String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta http-equiv="Content-Security-Policy" content="${policy}" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="referrer" content="no-referrer" />
          <title>${visibleLine(page.title)}</title>
          ${element('style', style)}
        </head>
        <body>
          <a class="skip" href="#${skipTo}">${skipWords}</a>
          ${page.body} ${page.script !== undefined && element('script', page.script)}
        </body>
      </html> `,
  );
}
