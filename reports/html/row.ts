import type { ScenarioGroup } from '../assemble.ts';
import { consequenceOf } from '../consequences.ts';
import type { RequirementCoverage, TargetSummary } from '../model.ts';
import { permutationText } from '../../harness/scenario/permutation.ts';
import { isCore } from '../reproduce.ts';
import { requirementId, rowId } from './anchors.ts';
import { levelChip, verdictBadge } from './badge.ts';
import { attributeText, html, type Markup, milliseconds, shown, shownUpTo } from './markup.ts';
import { permutationDetails, resultBody, type Depth } from './result.ts';

/** How many permutations with the same gravest verdicts are shown with all their evidence. */
const WHOLE = 2;

function depthOf(group: ScenarioGroup, index: number): Depth {
  if (group.results[index]?.verdict !== 'pass') return index < WHOLE ? 'whole' : 'none';
  return group.results.findIndex(({ verdict }) => verdict === 'pass') === index ? 'brief' : 'none';
}

function permutations({ results, verdict }: ScenarioGroup): Markup | null {
  const [only] = results;
  if (results.length === 1)
    return isCore(only.permutation)
      ? null
      : html`<span class="dim">${permutationText(only.permutation)}</span>`;
  const same = results.filter((result) => result.verdict === verdict).length;
  const extent = same === results.length ? 'all of' : `${same} of`;
  return html`<span class="dim">${extent} ${results.length} permutations</span>`;
}

function requirementBlock(group: ScenarioGroup, requirement: RequirementCoverage | undefined): Markup {
  const [{ level }] = group.results;
  const broken = group.verdict === 'fail';
  return html`<div class="requirement" data-find>
    <p>
      ${levelChip(level)}
      <a href="#${requirementId(group.requirement)}">${shown(group.requirement)}</a
      >${requirement !== undefined && html` <span class="dim">draft §${shown(requirement.sections)}</span>`}
    </p>
    ${requirement !== undefined && html`<blockquote>${shown(requirement.statement)}</blockquote>`}
    ${broken && html`<p class="gain"><strong>What follows:</strong> ${consequenceOf(group.requirement).sentence}</p>`}
  </div>`;
}

/** A scenario on a target: one line, which opens to requirement, verdict and evidence. */
export function scenarioRow(
  group: ScenarioGroup,
  target: TargetSummary | undefined,
  requirement: RequirementCoverage | undefined,
): Markup {
  const [first] = group.results;
  const time = group.results.reduce((sum, { durationMs }) => sum + durationMs, 0);
  // Every verdict that one of its permutations has; `pass` only where all of them passed.
  const seen = new Set(group.results.map(({ verdict }) => verdict));
  if (group.verdict !== 'pass') seen.delete('pass');
  const verdicts = [...seen].join(' ');
  const known = target?.knownFailures[group.scenario];
  return html`<details
    class="row"
    id="${rowId(group.target, group.scenario)}"
    data-verdicts="${verdicts}"
    data-suite="${attributeText(group.suite)}"
    data-target="${attributeText(group.target)}"
  >
    <summary>
      ${verdictBadge(group.verdict)} <code class="id">${shown(group.scenario)}</code>
      <span class="title">${shownUpTo(first.title, 240)}</span>
      <span class="meta">${permutations(group)} <span class="dim time">${milliseconds(time)}</span></span>
    </summary>
    <div class="body">
      ${requirementBlock(group, requirement)}
      ${known !== undefined && html`<p><strong>Known failure:</strong> ${shown(known)}</p>`}
      ${group.results.length === 1 ? resultBody(first, target, depthOf(group, 0)) : group.results.map((result, index) => permutationDetails(result, target, depthOf(group, index), index === 0))}
    </div>
  </details>`;
}
