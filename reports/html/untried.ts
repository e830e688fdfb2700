import type { TargetConclusion } from '../conclusion.ts';
import { missingCapabilities } from '../optional-capabilities.ts';
import { rowId } from './anchors.ts';
import { html, type Markup, shown } from './markup.ts';

/** What binds every implementation and was not tried for want of an optional capability, and how to have it tried. */
export function untriedList(conclusion: TargetConclusion): Markup | null {
  const missing = missingCapabilities(conclusion);
  if (missing.length === 0) return null;
  const { name: target } = conclusion.target;
  return html`<h3>Not tried for want of an optional capability</h3>
    <p>Offer it, and add it to <code>capabilities</code> in the manifest.</p>
    <ul class="plain">
      ${missing.map(
        ({ name, claim, scenarios }) =>
          html`<li>
            <code>${name}</code> <span class="dim">${claim}</span>:
            ${scenarios.map((scenario, index) => html`${index > 0 && ', '}<a href="#${rowId(target, scenario)}">${shown(scenario)}</a>`)}
          </li>`,
      )}
    </ul>`;
}
