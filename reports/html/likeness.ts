import type { TargetConclusion } from '../conclusion.ts';
import type { Resemblance } from '../model.ts';
import { catchId, rowId } from './anchors.ts';
import { html, type Markup, plural, shown } from './markup.ts';

/** How many scenarios that set a target apart are named before the rest is only counted. */
const NAMED = 12;

/** Scenarios as links to their rows, where they were run. */
function scenarioNames(scenarios: readonly string[], { target, groups }: TargetConclusion): Markup {
  const more = scenarios.length - NAMED;
  return html`${scenarios.slice(0, NAMED).map((scenario, index) => {
    const name = html`<code>${shown(scenario)}</code>`;
    const run = groups.some((group) => group.scenario === scenario);
    return html`${index > 0 && ', '}${run ? html`<a href="#${rowId(target.name, scenario)}">${name}</a>` : name}`;
  })}${more > 0 && ` and ${more} more`}`;
}

function apart(
  { common, onlyTarget, unjudged }: Resemblance,
  conclusion: TargetConclusion,
): readonly Markup[] {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [common.length === 1 ? 'fails on both' : 'fail on both', common],
    [
      onlyTarget.length === 1 ? 'fails here, passes with that mistake' : 'fail here, pass with that mistake',
      onlyTarget,
    ],
    [
      unjudged.length === 1
        ? 'fails with that mistake, not judged here'
        : 'fail with that mistake, not judged here',
      unjudged,
    ],
  ];
  return rows
    .filter(([, scenarios]) => scenarios.length > 0)
    .map(
      ([words, scenarios]) =>
        html`<li><span class="dim">${words}:</span> ${scenarioNames(scenarios, conclusion)}</li>`,
    );
}

function resemblance(one: Resemblance, conclusion: TargetConclusion, listed: boolean): Markup {
  const id = html`<code>${shown(one.mutant)}</code>`;
  const failures = one.common.length + one.onlyTarget.length;
  return html`<li>
    <strong>${listed ? html`<a href="#${catchId(one.mutant)}">${id}</a>` : id} ${shown(one.mistake)}</strong>
    <span class="dim"
      >${one.distance === 0 ? `the same ${plural(failures, 'failure')}` : `${one.common.length} of ${plural(failures, 'failure')} in common`},
      distance ${one.distance.toFixed(2)}</span
    >
    <ul class="plain">
      ${apart(one, conclusion)}
    </ul>
  </li>`;
}

/**
 * Which known mistakes the target's failures are like, where any is near, and what sets it apart from them.
 *
 * @param listed ids of the mistakes that have a row in this report
 */
export function likeness(conclusion: TargetConclusion, listed: ReadonlySet<string>): Markup | null {
  const { resemblances = [] } = conclusion.target;
  if (resemblances.length === 0) return null;
  return html`<h3>Behaves like${resemblances.length > 1 && ' one of these'}</h3>
    <ul class="likeness">
      ${resemblances.map((one) => resemblance(one, conclusion, listed.has(one.mutant)))}
    </ul>`;
}
