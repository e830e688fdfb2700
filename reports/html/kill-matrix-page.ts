import type { KillMatrixView } from '../kill-matrix.ts';
import { documentOf } from './document.ts';
import { html, type Markup, plural, shown } from './markup.ts';

type Subject = KillMatrixView['subjects'][number];

/** Scenarios are shown by the area of their requirement: `RS-EKM-5` stands under `EKM`. */
function areaOf(scenario: string): string {
  return /^[A-Z]+-(?<area>[A-Z0-9]+)/.exec(scenario)?.groups?.['area'] ?? scenario;
}

/**
 * The kill matrix as one self-contained HTML file: which scenarios find which mistake, with what they say, and what
 * does not hold of the self-check.
 */
export function renderKillMatrix(matrix: KillMatrixView): string {
  const { role, counts, subjects, scenarios, mismatches, wallMs } = matrix;
  const areas = [...new Set(scenarios.map(({ id }) => areaOf(id)))];
  const mutants = subjects.filter(({ form }) => form === 'mutant');
  const variants = subjects.filter(({ form }) => form === 'variant');
  return documentOf({
    title: `Kill matrix: ${role}`,
    skip: ['mutants', 'Skip to the mutants'],
    body: html`<header class="page">
        <h1>Kill matrix <span>${role.replaceAll('-', ' ')}</span></h1>
        <p class="run-line">
          ${plural(counts.mutants, 'mutant')}, ${counts.killedExactly} killed exactly as declared ·
          ${plural(counts.variants, 'harmless variant')}, ${counts.variantsClean} clean ·
          ${(wallMs / 1000).toFixed(1)} s
        </p>
      </header>
      <main>
        ${mismatchList(mismatches)}
        <section aria-labelledby="mutants">
          <h2 id="mutants">Mutants, and the areas whose scenarios find them</h2>
          <p class="dim">
            A number says how many scenarios of the area find the mistake. Open a mutant to read what they
            say.
          </p>
          ${table(mutants, areas)}
        </section>
        <section aria-labelledby="variants">
          <h2 id="variants">Harmless variants</h2>
          <p class="dim">Other than the reference, and right: no scenario may call them broken.</p>
          ${table(variants, areas)}
        </section>
        <section aria-labelledby="scenarios">
          <h2 id="scenarios">Scenarios, and what they catch</h2>
          ${scenarioTable(scenarios)}
        </section>
      </main>`,
  });
}

function mismatchList(mismatches: KillMatrixView['mismatches']): Markup {
  return mismatches.length === 0
    ? html`<p>Everything is as declared.</p>`
    : html`<section aria-labelledby="mismatches">
        <h2 id="mismatches">What does not hold</h2>
        <ul>
          ${mismatches.map(({ kind, about, text }) => html`<li><b>${shown(about)}</b> (${kind}): ${shown(text)}</li>`)}
        </ul>
      </section>`;
}

function table(subjects: readonly Subject[], areas: readonly string[]): Markup {
  return html`<div class="matrix-scroll" role="region" aria-label="Matrix" tabindex="0">
    <table class="matrix">
      <thead>
        <tr>
          <th scope="col">What it does</th>
          ${areas.map((area) => html`<th scope="col"><span>${area}</span></th>`)}
        </tr>
      </thead>
      <tbody>
        ${subjects.map((subject) => row(subject, areas))}
      </tbody>
    </table>
  </div>`;
}

function row({ id, form, what, breaks, reasons }: Subject, areas: readonly string[]): Markup {
  const found = Object.entries(reasons);
  return html`<tr id="${id}">
    <th scope="row">
      <details>
        <summary><b>${id}</b> ${shown(what)}</summary>
        ${breaks.length > 0 && html`<p class="dim">breaks ${breaks.join(', ')}</p>`}
        <dl class="reasons">
          ${found.map(
            ([scenario, lines]) =>
              html`<dt>${scenario}</dt>
                <dd>${lines.map((line) => html`<p>${shown(line)}</p>`)}</dd>`,
          )}
        </dl>
      </details>
    </th>
    ${areas.map((area) => {
      const count = found.filter(([scenario]) => areaOf(scenario) === area).length;
      return count === 0
        ? html`<td></td>`
        : html`<td class="${form === 'mutant' ? 'killed' : 'noticed'}">${count}</td>`;
    })}
  </tr>`;
}

function scenarioTable(scenarios: KillMatrixView['scenarios']): Markup {
  return html`<table class="stack">
    <thead>
      <tr>
        <th scope="col">Scenario</th>
        <th scope="col">Severity</th>
        <th scope="col">Catches</th>
      </tr>
    </thead>
    <tbody>
      ${scenarios.map(
        ({ id, severity, kills, reason }) =>
          html`<tr>
            <th scope="row">${id}</th>
            <td data-label="Severity">${severity ?? ''}</td>
            <td data-label="Catches">
              ${kills.length > 0 ? kills.map((kill) => html`<a href="#${kill}">${kill}</a> `) : shown(reason ?? 'nothing')}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
