import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { raw } from 'hono/html';
import { concludeTargets, type TargetConclusion } from '../conclusion.ts';
import type { Report } from '../model.ts';
import { visibleLine } from '../visible.ts';
import { ambiguities } from './ambiguities.ts';
import { catches } from './catches.ts';
import { coverage } from './coverage.ts';
import { legend } from './legend.ts';
import { html, type Markup } from './markup.ts';
import { results } from './results.ts';
import { problems, runFacts, runLine } from './run.ts';
import { targetSummary, targetTable } from './summary.ts';

/** Style sheets by subject, in the order in which they apply. */
const STYLES = ['base', 'summary', 'results', 'evidence', 'appendix', 'narrow', 'print'];

const asset = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const hash = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/** Octet for octet what was hashed: a template would be free to change white space. */
const element = (name: 'style' | 'script', content: string): Markup => raw(`<${name}>${content}</${name}>`);

function title(conclusions: readonly TargetConclusion[]): string {
  const [first, ...more] = conclusions;
  if (first === undefined) return 'Conformance report';
  return more.length === 0
    ? `${first.headline}: ${first.target.title}`
    : `Conformance of ${conclusions.length} targets`;
}

function navigation(sections: readonly (readonly [string, string, Markup | null])[]): Markup {
  return html`<nav aria-label="Parts of the report">
    <ul>
      ${sections.filter(([, , content]) => content !== null).map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}
    </ul>
  </nav>`;
}

/**
 * The report as one self-contained HTML file. It loads nothing; its policy allows the one style and the
 * one script in it, by hash, so that markup which slipped through could not run either. Without script
 * it is a plain list.
 */
export function renderHtml(report: Report): string {
  const style = STYLES.map((name) => asset(`./style/${name}.css`)).join('');
  const script = asset('./report.client.js');
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;
  const conclusions = concludeTargets(report);
  const listed = new Set((report.catches ?? []).map(({ id }) => id));
  const sections = [
    ['results', 'Results', results(report, conclusions)],
    ['coverage', 'Coverage', coverage(report, conclusions)],
    ['catches', 'What it would catch', catches(report, conclusions)],
    ['ambiguities', 'Unclear text', ambiguities(report, conclusions)],
    ['legend', 'Legend', legend()],
  ] as const;
  return String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta http-equiv="Content-Security-Policy" content="${policy}" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <meta name="referrer" content="no-referrer" />
          <title>${visibleLine(title(conclusions))}</title>
          ${element('style', style)}
        </head>
        <body>
          <a class="skip" href="#results">Skip to the results</a>
          <header class="page">
            <div class="bar-top">
              <h1>Conformance report <span>TLS-session-bound access tokens</span></h1>
              <button type="button" id="theme" aria-pressed="false" hidden>Dark</button>
            </div>
            <p class="run-line">${runLine(report)}</p>
          </header>
          <main>
            ${problems(report)} ${targetTable(conclusions)}
            ${conclusions.map((conclusion) => targetSummary(conclusion, listed))} ${runFacts(report)}
            ${navigation(sections)} ${sections.map(([, , content]) => content)}
          </main>
          <footer class="page">
            <p>
              Written by ${visibleLine(report.tool.name)} ${visibleLine(report.tool.version)}. All evidence is
              in <code>report.json</code> beside this file; access tokens and keys are in neither.
            </p>
          </footer>
          ${element('script', script)}
        </body>
      </html> `,
  );
}
