import type { Evidence, ResultRecord } from '../../harness/scenario/record.ts';
import type { TargetSummary } from '../model.ts';
import { permutationText } from '../../harness/scenario/permutation.ts';
import { reproduceCommand } from '../reproduce.ts';
import { attackStory } from './attack.ts';
import { verdictBadge } from './badge.ts';
import { connectionTable } from './connections.ts';
import { exchangeList } from './exchange.ts';
import { block, html, type Markup, shown, shownUpTo } from './markup.ts';
import { minimalPair, pairTable } from './pair.ts';

/**
 * How much of the evidence is shown. A full run has thousands of results, and a file that no browser
 * opens helps nobody; `report.json` always has everything.
 * - `whole`: for what went wrong: all of it, within bounds
 * - `brief`: for what went well: pairs as a table, a few exchanges in detail
 * - `none`: for a permutation that says the same as the one before it
 */
export type Depth = 'whole' | 'brief' | 'none';

const DETAILED: Readonly<Record<Depth, number>> = { whole: 16, brief: 6, none: 0 };
const PAIRS_SIDE_BY_SIDE = 8;

/** Ids of the exchanges worth showing in full: those of pairs that went wrong first, then in order. */
function worthDetail({ exchanges, pairs }: Evidence, depth: Depth): ReadonlySet<number> {
  const wrong = pairs
    .filter(({ verdict }) => verdict !== 'pass')
    .flatMap(({ control, variant }) => [control, variant]);
  const right = pairs.flatMap(({ control, variant }) => [control, variant]);
  const ids = new Set([...wrong, ...right, ...exchanges.map(({ id }) => id)]);
  return new Set([...ids].slice(0, DETAILED[depth]));
}

const ATTRIBUTION = {
  target: 'the target',
  harness: 'the suite itself',
  environment: 'the environment',
  specification: 'the specification, which is unclear here',
} as const;

function verdictBlock(result: ResultRecord): Markup | null {
  if (result.verdict === 'pass') return null;
  return html`<div class="why v-${result.verdict}" data-find>
    <p>
      ${verdictBadge(result.verdict)}
      <span class="lines">${shownUpTo(result.reason ?? 'No reason was recorded.', 2000)}</span>
      ${result.attribution !== null && html`<span class="dim">Attributed to ${ATTRIBUTION[result.attribution]}.</span>`}
    </p>
    ${result.cause !== null && html`<p><strong>Likely cause and cure:</strong> <span class="lines">${shownUpTo(result.cause, 2000)}</span></p>`}
  </div>`;
}

function pairs({ pairs: all, exchanges }: Evidence, depth: Depth): Markup | null {
  if (all.length === 0) return null;
  const wrong = all.filter(({ verdict }) => verdict !== 'pass');
  const apart = depth === 'whole' ? wrong.slice(0, PAIRS_SIDE_BY_SIDE) : [];
  const rest = all.filter((pair) => !apart.includes(pair));
  return html`<h5>${all.length === 1 ? 'Minimal pair' : 'Minimal pairs'}</h5>
    ${apart.map((pair) => minimalPair(pair, exchanges, true))} ${rest.length > 0 && pairTable(rest)}`;
}

function evidenceParts(evidence: Evidence, depth: Depth): Markup {
  const { attack, connections, exchanges, log, notes } = evidence;
  const details = worthDetail(evidence, depth);
  return html`${attack !== undefined && attackStory(attack)}
  ${
    notes.length > 0 &&
    html`<h5>Notes</h5>
      <ul data-find>
        ${notes.map((note) => html`<li>${shownUpTo(note, 600)}</li>`)}
      </ul>`
  }
  ${pairs(evidence, depth)}
  ${
    exchanges.length > 0 &&
    html`<h5>On the wire</h5>
      ${exchangeList(exchanges, details)}`
  }
  ${connectionTable(connections)}
  ${
    depth === 'whole' &&
    log !== undefined &&
    log.length > 0 &&
    html`<h5>The target’s log meanwhile</h5>
      ${block(log.slice(-40).join('\n'), 4000)}`
  }`;
}

function repeat(result: ResultRecord, target: TargetSummary | undefined): Markup | null {
  if (target === undefined) return null;
  return html`<p class="repeat">
    <span>Repeat</span> <code>${shown(reproduceCommand(target, result))}</code>
  </p>`;
}

/** One result: verdict and reason, evidence, and the command that repeats it. */
export function resultBody(result: ResultRecord, target: TargetSummary | undefined, depth: Depth): Markup {
  return html`${verdictBlock(result)}${repeat(result, target)}
  ${depth === 'none' ? html`<p class="dim">Evidence as for the permutation above; the whole of it is in report.json.</p>` : evidenceParts(result.evidence, depth)}`;
}

/** One result among the permutations of its scenario. */
export function permutationDetails(
  result: ResultRecord,
  target: TargetSummary | undefined,
  depth: Depth,
  open: boolean,
): Markup {
  return html`<details class="permutation" ${open && html` open`}>
    <summary>
      ${verdictBadge(result.verdict)}
      <b>${permutationText(result.permutation)}</b>
      ${result.reason !== null && html`<span class="dim">${shownUpTo(result.reason, 120)}</span>`}
    </summary>
    <div class="body">${resultBody(result, target, depth)}</div>
  </details>`;
}
