import type { TargetConclusion } from '../conclusion.ts';
import type { Report, RequirementCoverage } from '../model.ts';
import { requirementId, rowId } from './anchors.ts';
import { levelChip, verdictBadge } from './badge.ts';
import { html, type Markup, plural, shown } from './markup.ts';

/** What the run says of a requirement: a badge with a link for each target's scenario, or that it was not run. */
function outcome(requirement: RequirementCoverage, conclusions: readonly TargetConclusion[]): Markup {
  if (requirement.scenarios.length === 0)
    return html`<span class="dim">Not tested: ${shown(requirement.untested ?? 'no reason is given')}</span>`;
  const run = conclusions.flatMap(({ target, groups }) =>
    groups
      .filter(({ scenario }) => requirement.scenarios.includes(scenario))
      .map(
        ({ scenario, verdict }) =>
          html`<li>
            ${verdictBadge(verdict)}
            <a href="#${rowId(target.name, scenario)}">${shown(scenario)}</a
            >${conclusions.length > 1 && html` <span class="dim">${shown(target.name)}</span>`}
          </li>`,
      ),
  );
  return run.length === 0
    ? html`<span class="dim">Not in this run: ${shown(requirement.scenarios.join(', '))}</span>`
    : html`<ul class="plain">
        ${run}
      </ul>`;
}

function row(requirement: RequirementCoverage, conclusions: readonly TargetConclusion[]): Markup {
  return html`<tr id="${requirementId(requirement.id)}">
    <th scope="row"><code>${shown(requirement.id)}</code> ${levelChip(requirement.level)}</th>
    <td data-label="Statement">
      ${shown(requirement.statement)} <span class="dim">§${shown(requirement.sections)}</span>
    </td>
    <td data-label="Outcome">${outcome(requirement, conclusions)}</td>
  </tr>`;
}

function area(
  name: string,
  rows: readonly RequirementCoverage[],
  conclusions: readonly TargetConclusion[],
): Markup {
  const untested = rows.filter(({ scenarios }) => scenarios.length === 0).length;
  return html`<details class="area">
    <summary>
      <b>${shown(name)}</b>
      <span class="dim"
        >${plural(rows.length, 'requirement')}${untested > 0 && `, ${untested} not tested`}</span
      >
    </summary>
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Requirement</th>
          <th scope="col">Statement</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((requirement) => row(requirement, conclusions))}
      </tbody>
    </table>
  </details>`;
}

/** Every requirement of the catalogue: the scenarios that test it with their outcome, or why none does. */
export function coverage({ requirements }: Report, conclusions: readonly TargetConclusion[]): Markup | null {
  if (requirements.length === 0) return null;
  const areas = Map.groupBy(requirements, ({ area }) => area);
  const untested = requirements.filter(({ scenarios }) => scenarios.length === 0);
  const tested = requirements.length - untested.length;
  return html`<section id="coverage" aria-labelledby="coverage.h">
    <h2 id="coverage.h">Requirement coverage</h2>
    <p>
      ${tested} of ${plural(requirements.length, 'requirement')} have a
      scenario${untested.length > 0 && `; ${untested.length} have none, each for a stated reason`}.
    </p>
    ${
      untested.length > 0 &&
      html`<details class="area">
        <summary>
          <b>Not tested, and why</b> <span class="dim">${plural(untested.length, 'requirement')}</span>
        </summary>
        <dl class="untested">
          ${untested.map(
            ({ id, untested: why }) =>
              html`<div>
                <dt><a href="#${requirementId(id)}">${shown(id)}</a></dt>
                <dd>${shown(why ?? 'no reason is given')}</dd>
              </div>`,
          )}
        </dl>
      </details>`
    }
    ${[...areas].map(([name, rows]) => area(name, rows, conclusions))}
  </section>`;
}
