import type { ScenarioGroup } from '../assemble.ts';
import type { TargetConclusion } from '../conclusion.ts';
import type { Report } from '../model.ts';
import { rowId } from './anchors.ts';
import { html, type Markup, shown, shownUpTo } from './markup.ts';

interface Entry {
  readonly id: string;
  readonly issue: string;
  readonly stance: string;
  readonly observed: { readonly target: string; readonly group: ScenarioGroup }[];
}

/** The ambiguities that this run made observations on, each with the observations. */
function entries({ requirements }: Report, conclusions: readonly TargetConclusion[]): readonly Entry[] {
  const known = new Map(requirements.map((requirement) => [requirement.id, requirement.ambiguities]));
  const found = new Map<string, Entry>();
  for (const { target, groups } of conclusions)
    for (const group of groups) {
      if (!group.results.some(({ verdict }) => verdict === 'info')) continue;
      for (const { id, issue, stance } of known.get(group.requirement) ?? []) {
        const entry = found.get(id) ?? { id, issue, stance, observed: [] };
        entry.observed.push({ target: target.title, group });
        found.set(id, entry);
      }
    }
  return [...found.values()].toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

function observation({ target, group }: Entry['observed'][number], several: boolean): Markup {
  const reasons = new Set(
    group.results.filter(({ verdict }) => verdict === 'info').map(({ reason }) => reason ?? ''),
  );
  return html`<li>
    <a href="#${rowId(group.target, group.scenario)}">${shown(group.scenario)}</a
    >${several && html` <span class="dim">${shown(target)}</span>`}
    ${[...reasons].slice(0, 3).map((reason) => html`${shownUpTo(reason, 400)} `)}
  </li>`;
}

/** Where the draft's text is unclear and this run saw which way a target reads it. */
export function ambiguities(report: Report, conclusions: readonly TargetConclusion[]): Markup | null {
  const seen = entries(report, conclusions);
  if (seen.length === 0) return null;
  return html`<section id="ambiguities" aria-labelledby="ambiguities.h">
    <h2 id="ambiguities.h">Where the draft is unclear</h2>
    <p>Readings of unclear text are observed, not judged. They are input for the draft’s authors.</p>
    ${seen.map(
      ({ id, issue, stance, observed }) =>
        html`<article class="ambiguity">
          <h3>${shown(id)}</h3>
          <p>${shown(issue)}</p>
          <p class="dim">Stance of the suite: ${shown(stance)}</p>
          <ul>
            ${observed.map((one) => observation(one, conclusions.length > 1))}
          </ul>
        </article>`,
    )}
  </section>`;
}
