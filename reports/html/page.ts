import { concludeTargets, type TargetConclusion } from '../conclusion.ts';
import type { Report } from '../model.ts';
import { visibleLine } from '../visible.ts';
import { ambiguities } from './ambiguities.ts';
import { catches } from './catches.ts';
import { coverage } from './coverage.ts';
import { asset, documentOf } from './document.ts';
import { legend } from './legend.ts';
import { html, type Markup } from './markup.ts';
import { results } from './results.ts';
import { problems, runFacts, runLine } from './run.ts';
import { targetSummary, targetTable } from './summary.ts';

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
  const conclusions = concludeTargets(report);
  const listed = new Set((report.catches ?? []).map(({ id }) => id));
  const sections = [
    ['results', 'Results', results(report, conclusions)],
    ['coverage', 'Coverage', coverage(report, conclusions)],
    ['catches', 'What it would catch', catches(report, conclusions)],
    ['ambiguities', 'Unclear text', ambiguities(report, conclusions)],
    ['legend', 'Legend', legend()],
  ] as const;
  return documentOf({
    title: title(conclusions),
    skip: ['results', 'Skip to the results'],
    script: asset('./report.client.js'),
    body: html`<header class="page">
        <div class="bar-top">
          <h1>Conformance report <span>TLS-session-bound access tokens</span></h1>
          <button type="button" id="theme" aria-pressed="false" hidden>Dark</button>
        </div>
        <p class="run-line">${runLine(report)}</p>
      </header>
      <main>
        ${problems(report)} ${targetTable(conclusions)}
        ${conclusions.map((conclusion) => targetSummary(conclusion, listed, report.catches))}
        ${runFacts(report)} ${navigation(sections)} ${sections.map(([, , content]) => content)}
      </main>
      <footer class="page">
        <p>
          Written by ${visibleLine(report.tool.name)} ${visibleLine(report.tool.version)}. All evidence is in
          <code>report.json</code> beside this file; access tokens and keys are in neither.
        </p>
      </footer>`,
  });
}
