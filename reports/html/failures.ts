import type { ScenarioGroup } from '../assemble.ts';
import type { Entry } from '../entries.ts';
import { rowId } from './anchors.ts';
import { verdictBadge } from './badge.ts';
import { html, type Markup, plural, shown, shownUpTo } from './markup.ts';

/** How many failures are told before the rest is only counted. */
const TOLD = 10;

function link({ target, scenario }: ScenarioGroup): Markup {
  return html`<a href="#${rowId(target, scenario)}">${shown(scenario)}</a>`;
}

function entry({ lead, also }: Entry): Markup {
  const [{ title, cause }] = lead.results;
  return html`<li>
    ${verdictBadge(lead.verdict)} ${link(lead)} ${shownUpTo(title, 160)}
    ${cause !== null && html`<p><strong>Likely cause:</strong> <span class="lines">${shownUpTo(cause, 600)}</span></p>`}
    ${also.length > 0 && html`<p class="dim">The same cause: ${also.map((group, index) => html`${index > 0 && ', '}${link(group)}`)}</p>`}
  </li>`;
}

/** What fails, in the order of the terminal: what was served first, what follows from one mistake as one. */
export function failureList(entries: readonly Entry[]): Markup | null {
  const failing = entries.filter(({ lead }) => lead.verdict === 'fail');
  if (failing.length === 0) return null;
  const rest = failing.slice(TOLD).reduce((sum, { also }) => sum + 1 + also.length, 0);
  return html`<h3>Failures, the most telling first</h3>
    <ul class="failures">
      ${failing.slice(0, TOLD).map(entry)}
      ${rest > 0 && html`<li class="dim">and ${plural(rest, 'more failure')}, see the results below</li>`}
    </ul>`;
}
