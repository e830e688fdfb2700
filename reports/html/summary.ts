import { VERDICTS } from '../../harness/scenario/record.ts';
import type { ScenarioGroup } from '../assemble.ts';
import type { TargetConclusion } from '../conclusion.ts';
import { consequencesOf, type Consequence } from '../consequences.ts';
import { entriesOf } from '../entries.ts';
import type { Catch, Counts } from '../model.ts';
import { rowId, targetId } from './anchors.ts';
import { conclusionMark, verdictBadge, verdictWord } from './badge.ts';
import { failureList } from './failures.ts';
import { likeness } from './likeness.ts';
import { html, type Markup, plural, shown, shownUpTo } from './markup.ts';
import { measurements } from './measurements.ts';
import { untriedList } from './untried.ts';

/** How many scenarios are named beside one consequence before the rest is only counted. */
const NAMED = 5;

function countBar(counts: Counts): Markup {
  const total = VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0);
  if (total === 0) return html``;
  let x = 0;
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0).map((verdict) => {
    const width = (counts[verdict] / total) * 1000;
    const part = html`<rect
      class="v-${verdict}"
      x="${x.toFixed(1)}"
      y="0"
      width="${width.toFixed(1)}"
      height="10"
    />`;
    x += width;
    return part;
  });
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
    ${parts}
  </svg>`;
}

function countList(counts: Counts): Markup {
  return html`<ul class="counts">
    ${VERDICTS.map((verdict) => html`<li class="v-${verdict}${counts[verdict] === 0 ? ' none' : ''}"><b>${counts[verdict]}</b> ${verdictWord(verdict)}</li>`)}
  </ul>`;
}

function scenarioLinks(groups: readonly ScenarioGroup[]): Markup {
  const more = groups.length - NAMED;
  return html`<ul class="causes">
    ${groups.slice(0, NAMED).map(({ target, scenario, results }) => html`<li><a href="#${rowId(target, scenario)}">${shown(scenario)}</a> ${shownUpTo(results[0].title, 160)}</li>`)}
    ${more > 0 && html`<li class="dim">and ${more} more, see the results below</li>`}
  </ul>`;
}

function consequenceList(
  kind: Consequence['kind'],
  heading: string,
  failing: readonly ScenarioGroup[],
): Markup | null {
  const found = consequencesOf(failing).filter(({ consequence }) => consequence.kind === kind);
  if (found.length === 0) return null;
  return html`<h3>${heading}</h3>
    <ul class="consequences ${kind}">
      ${found.map(({ consequence, from }) => html`<li><strong>${consequence.sentence}</strong>${scenarioLinks(from)}</li>`)}
    </ul>`;
}

/** How the attacks told end to end (threats T1–T5) went. */
function attackList(groups: readonly ScenarioGroup[]): Markup | null {
  const told = groups.filter(({ results }) => results.some(({ evidence }) => evidence.attack !== undefined));
  if (told.length === 0) return null;
  return html`<h3>Attacks played from end to end</h3>
    <ul class="attacks">
      ${told.map(({ target, scenario, verdict, results }) => html`<li>${verdictBadge(verdict)} <a href="#${rowId(target, scenario)}">${shown(scenario)}</a> ${shownUpTo(results[0].title, 160)}</li>`)}
    </ul>`;
}

function warningList(groups: readonly ScenarioGroup[]): Markup | null {
  const warned = groups.filter(({ verdict }) => verdict === 'warn');
  return warned.length === 0
    ? null
    : html`<h3>Recommendations not followed</h3>
        ${scenarioLinks(warned)}`;
}

function unjudgedList(groups: readonly ScenarioGroup[]): Markup | null {
  const unjudged = groups.filter(({ verdict }) => verdict === 'inconclusive');
  return unjudged.length === 0
    ? null
    : html`<h3>Could not be judged</h3>
        ${scenarioLinks(unjudged)}`;
}

function knownFailures({ known }: TargetConclusion): Markup | null {
  if (known.length === 0) return null;
  return html`<h3>Known failures</h3>
    <ul class="causes">
      ${known.map(({ scenario, reason }) => html`<li><code>${shown(scenario)}</code> ${shown(reason)}</li>`)}
    </ul>`;
}

function homepage(address: string): Markup {
  // A manifest may say anything; only an ordinary web address becomes a link.
  return /^https?:\/\/[\x21-\x7e]+$/.test(address)
    ? html`<a href="${address}" rel="noreferrer noopener">${address}</a>`
    : shown(address);
}

function facts({ target }: TargetConclusion): Markup {
  return html`<dl class="facts">
    <div>
      <dt>Role</dt>
      <dd>${target.role.replaceAll('-', ' ')}</dd>
    </div>
    <div>
      <dt>Started as</dt>
      <dd><code>${shown(target.start)}</code></dd>
    </div>
    ${
      target.version !== undefined &&
      html`<div>
        <dt>Version</dt>
        <dd>${shown(target.version)}</dd>
      </div>`
    }
    ${
      target.homepage !== undefined &&
      html`<div>
        <dt>Homepage</dt>
        <dd>${homepage(target.homepage)}</dd>
      </div>`
    }
    <div>
      <dt>Claims to support</dt>
      <dd>
        ${target.capabilities.length === 0 ? 'nothing beyond the minimum' : target.capabilities.map((name) => html`<span class="chip">${shown(name)}</span> `)}
      </dd>
    </div>
  </dl>`;
}

/**
 * What a busy reader has to know of one target: conformant or not, what is broken, what that lets an attacker do.
 *
 * @param listed ids of the known mistakes that have a row in this report
 */
export function targetSummary(
  conclusion: TargetConclusion,
  listed: ReadonlySet<string>,
  catches: readonly Catch[] | undefined,
): Markup {
  const { target, groups, counts } = conclusion;
  const entries = entriesOf(conclusion, catches);
  const failing = entries
    .flatMap(({ lead, also }) => [lead, ...also])
    .filter(({ verdict }) => verdict === 'fail');
  const results = VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0);
  return html`<section
    class="target c-${conclusion.conclusion}"
    id="${targetId(target.name)}"
    aria-labelledby="${targetId(target.name)}.h"
  >
    <header>
      <h2 id="${targetId(target.name)}.h">${shown(target.title)}</h2>
      <p class="headline">${conclusionMark(conclusion.conclusion)} ${conclusion.headline}</p>
      <p class="because">${shown(conclusion.because)}</p>
    </header>
    ${countBar(counts)}${countList(counts)}
    ${results !== groups.length && html`<p class="dim">${plural(results, 'result')}: ${plural(groups.length, 'scenario')} under several permutations of TLS version, HTTP version and key type.</p>`}
    ${likeness(conclusion, listed)} ${failureList(entries)}
    ${consequenceList('attack', 'What an attacker could do', failing)}
    ${consequenceList('outage', 'What honest parties lose', failing)}
    ${unjudgedList(groups)}${untriedList(conclusion)}${knownFailures(conclusion)}${warningList(groups)}${attackList(groups)}
    ${measurements(conclusion)} ${facts(conclusion)}
  </section>`;
}

/** One line for each target, where there are several. */
export function targetTable(conclusions: readonly TargetConclusion[]): Markup | null {
  if (conclusions.length < 2) return null;
  return html`<section aria-labelledby="targets">
    <h2 id="targets">Targets</h2>
    <ul class="overview">
      ${conclusions.map(({ target, conclusion, headline, because }) => html`<li class="c-${conclusion}"><span class="verdict">${conclusionMark(conclusion)} ${headline}</span> <a href="#${targetId(target.name)}">${shown(target.title)}</a> <span class="dim">${shown(because)}</span></li>`)}
    </ul>
  </section>`;
}
