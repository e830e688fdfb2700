import { VERDICTS } from '../../harness/scenario/record.ts';
import type { ScenarioGroup } from '../assemble.ts';
import type { TargetConclusion } from '../conclusion.ts';
import type { Report } from '../model.ts';
import { verdictBadge } from './badge.ts';
import { attributeText, html, type Markup, plural, shown } from './markup.ts';
import { scenarioRow } from './row.ts';

function bySuite(groups: readonly ScenarioGroup[]): ReadonlyMap<string, ScenarioGroup[]> {
  const suites = new Map<string, ScenarioGroup[]>();
  for (const group of groups) {
    const members = suites.get(group.suite);
    if (members === undefined) suites.set(group.suite, [group]);
    else members.push(group);
  }
  return suites;
}

function options(values: Iterable<string>): Markup {
  return html`<option value="">all</option>
    ${[...new Set(values)].map((value) => html`<option value="${attributeText(value)}">${attributeText(value)}</option>`)}`;
}

/** Search and filters. Hidden until the script has taken charge of them: without it the list is whole. */
function filterForm(report: Report): Markup {
  const targets = report.targets.map(({ name }) => name);
  const present = VERDICTS.filter((verdict) => report.results.some((result) => result.verdict === verdict));
  return html`<form id="filter" role="search" aria-label="Results" hidden>
    <label class="grow"
      >Search
      <input
        name="q"
        type="search"
        placeholder="id, words of the requirement, reason …"
        autocomplete="off"
        spellcheck="false"
    /></label>
    <label
      >Suite
      <select name="s">
        ${options(report.results.map(({ suite }) => suite))}
      </select></label
    >
    ${
      targets.length > 1 &&
      html`<label
        >Target
        <select name="t">
          ${options(targets)}
        </select></label
      >`
    }
    <fieldset>
      <legend>Verdict</legend>
      ${present.map((verdict) => html`<label class="pick"><input type="checkbox" name="v" value="${verdict}" />${verdictBadge(verdict)}</label>`)}
    </fieldset>
    <div class="buttons">
      <button type="button" id="open">Open shown</button><button type="button" id="clear">Clear</button
      ><output id="count" aria-live="polite"></output>
    </div>
  </form>`;
}

function suiteSection(
  suite: string,
  groups: readonly ScenarioGroup[],
  conclusion: TargetConclusion,
  report: Report,
): Markup {
  const statements = new Map(report.requirements.map((requirement) => [requirement.id, requirement]));
  return html`<section class="suite">
    <h4>${shown(suite)} <span class="dim">${plural(groups.length, 'scenario')}</span></h4>
    ${groups.map((group) => scenarioRow(group, conclusion.target, statements.get(group.requirement)))}
  </section>`;
}

/** Every scenario of every target, by suite. */
export function results(report: Report, conclusions: readonly TargetConclusion[]): Markup {
  return html`<section id="results" aria-labelledby="results.h">
    <h2 id="results.h">Results</h2>
    ${filterForm(report)}
    <p id="nothing" hidden>No scenario fits this search and filter.</p>
    ${conclusions.map(
      (conclusion) =>
        html`<section class="of">
          <h3>${shown(conclusion.target.title)}</h3>
          ${conclusion.groups.length === 0 && html`<p class="dim">Nothing was run.</p>`}
          ${[...bySuite(conclusion.groups)].map(([suite, groups]) => suiteSection(suite, groups, conclusion, report))}
        </section>`,
    )}
  </section>`;
}
