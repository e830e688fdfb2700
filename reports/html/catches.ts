import type { TargetConclusion } from '../conclusion.ts';
import type { Catch, HarmlessVariant, Report } from '../model.ts';
import { catchId, requirementId, rowId } from './anchors.ts';
import { html, type Markup, plural, shown } from './markup.ts';

/** How many scenarios of a mistake are told at once; the rest opens. */
const NAMED = 8;

/** Addresses of rows by scenario id; the first target's where several have one. */
type Rows = ReadonlyMap<string, string>;

function rowsOf(conclusions: readonly TargetConclusion[]): Rows {
  const rows = conclusions.flatMap(({ groups }) =>
    groups.map(({ target, scenario }) => [scenario, rowId(target, scenario)] as const),
  );
  return new Map(rows.toReversed());
}

/** `RS-ERR-8 warn` as the scenario with a link, and the verdict behind it. */
function entry(text: string, rows: Rows): Markup {
  const [scenario = '', verdict] = text.split(' ');
  const row = rows.get(scenario);
  const name = row === undefined ? shown(scenario) : html`<a href="#${row}">${shown(scenario)}</a>`;
  return verdict === undefined ? html`<code>${name}</code> ` : html`<code>${name}</code> (${verdict}) `;
}

function scenarioList(scenarios: readonly string[], rows: Rows): Markup {
  // What fails comes before what is only noticed.
  const told = scenarios
    .toSorted((a, b) => Number(a.includes(' ')) - Number(b.includes(' ')))
    .map((text) => entry(text, rows));
  const more = told.length - NAMED;
  return more <= 1
    ? html`${told}`
    : html`${told.slice(0, NAMED)}
        <details class="more">
          <summary>${more} more</summary>
          ${told.slice(NAMED)}
        </details>`;
}

function row(one: Catch, rows: Rows, known: ReadonlySet<string>): Markup {
  return html`<tr id="${catchId(one.id)}">
    <th scope="row"><code>${shown(one.id)}</code></th>
    <td data-label="Mistake">
      ${shown(one.mistake)}
      <span class="breaks"
        >${one.breaks.map((id) => (known.has(id) ? html`<a href="#${requirementId(id)}">${shown(id)}</a> ` : html`${shown(id)} `))}</span
      >
    </td>
    <td data-label="Caught by">${scenarioList(one.scenarios, rows)}</td>
  </tr>`;
}

function mistakes(catches: readonly Catch[], rows: Rows, known: ReadonlySet<string>): Markup {
  return html`<details class="area" id="mistakes">
    <summary>
      <b>Mistakes</b>
      <span class="dim">${plural(catches.length, 'mistake')}, with the scenarios that catch them</span>
    </summary>
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Mutant</th>
          <th scope="col">Mistake, and the requirements that it breaks</th>
          <th scope="col">Caught by</th>
        </tr>
      </thead>
      <tbody>
        ${catches.map((one) => row(one, rows, known))}
      </tbody>
    </table>
  </details>`;
}

function harmlessList(harmless: readonly HarmlessVariant[]): Markup | null {
  if (harmless.length === 0) return null;
  return html`<details class="area">
    <summary>
      <b>Other, and right</b>
      <span class="dim">${plural(harmless.length, 'variant')} that no scenario may call broken</span>
    </summary>
    <dl class="untested harmless">
      ${harmless.map(
        ({ id, difference }) =>
          html`<div>
            <dt>${shown(id)}</dt>
            <dd>${shown(difference)}</dd>
          </div>`,
      )}
    </dl>
  </details>`;
}

/** What the suite was tried on, so that a reader can tell what it would have caught, and what it leaves alone. */
export function catches(report: Report, conclusions: readonly TargetConclusion[]): Markup | null {
  const { catches: caught = [], harmless = [], requirements } = report;
  const [first] = caught;
  if (first === undefined) return null;
  const example = report.targets.flatMap(({ resemblances = [] }) => resemblances)[0]?.mutant ?? first.id;
  return html`<section id="catches" aria-labelledby="catches.h">
    <h2 id="catches.h">What this suite would catch</h2>
    <p>
      The suite is tested too. ${plural(caught.length, 'copy', 'copies')} of the reference server, each with
      one realistic mistake built in, must be caught by exactly the scenarios named
      here${harmless.length > 0 && `; ${harmless.length} that are different, and right, must not fail any`}.
      To see one: <code>npx tsbt run --mutant ${shown(example)}</code>
    </p>
    <label class="search" id="catch-search" hidden
      >Search mistakes
      <input
        type="search"
        placeholder="words of the mistake, requirement, scenario …"
        autocomplete="off"
        spellcheck="false"
    /></label>
    <output class="dim" id="catch-count" aria-live="polite"></output>
    ${mistakes(caught, rowsOf(conclusions), new Set(requirements.map(({ id }) => id)))}
    ${harmlessList(harmless)}
  </section>`;
}
