import type { ExchangeEvidence, PairEvidence } from '../../harness/scenario/record.ts';
import { verdictBadge } from './badge.ts';
import { outcomeText } from './exchange.ts';
import { html, type Markup, shown, shownUpTo } from './markup.ts';

/** A field of a request, in the terms of the difference: `proof.claims.ekm`. */
type Fields = ReadonlyMap<string, string>;

function members(prefix: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).map(([name, member]) => [
    `${prefix}.${name}`,
    typeof member === 'string' ? member : JSON.stringify(member),
  ]);
}

function fieldsOf({ request, token, proof, connection }: ExchangeEvidence): Fields {
  return new Map([
    ['request', `${request.method} ${request.target}`],
    ['connection', connection],
    ...(token === undefined ? [] : [['token', `sha-256 ${token.sha256}`] as const]),
    ...members('proof.header', proof?.header),
    ...members('proof.claims', proof?.claims),
  ]);
}

/** Fields that stand in both requests with the same value: what the two have in common. */
function common(
  control: ExchangeEvidence | undefined,
  variant: ExchangeEvidence | undefined,
): [string, string][] {
  if (control === undefined || variant === undefined) return [];
  const there = fieldsOf(variant);
  return [...fieldsOf(control)].filter(([name, value]) => there.get(name) === value);
}

function panel(
  heading: string,
  side: 'control' | 'variant',
  pair: PairEvidence,
  exchange: ExchangeEvidence | undefined,
  shared: readonly (readonly [string, string])[],
): Markup {
  const end =
    side === 'control'
      ? html`<p class="end">
          ${exchange === undefined ? 'Not recorded.' : html`Answered <b>${shown(outcomeText(exchange))}</b>.`}
        </p>`
      : html`<p class="end">
          Expected: <b>${shown(pair.expected)}</b>.<br />Observed: <b>${shownUpTo(pair.observed, 600)}</b>.
        </p>`;
  return html`<div class="side ${side}">
    <h6>${heading} <span class="dim">#${pair[side]}</span></h6>
    <dl>
      ${pair.difference.map(
        (difference) =>
          html`<div class="differs">
            <dt>${shown(difference.field)}</dt>
            <dd><mark>${shownUpTo(difference[side], 400)}</mark></dd>
          </div>`,
      )}${shared.map(
        ([name, value]) =>
          html`<div class="shared">
            <dt>${shown(name)}</dt>
            <dd>${shownUpTo(value, 120)}</dd>
          </div>`,
      )}
    </dl>
    ${end}
  </div>`;
}

/**
 * A minimal pair side by side: what differs is marked, what both have in common stands below it where
 * `whole` is set, then what was expected and what was observed.
 */
export function minimalPair(
  pair: PairEvidence,
  exchanges: readonly ExchangeEvidence[],
  whole: boolean,
): Markup {
  const control = exchanges.find(({ id }) => id === pair.control);
  const variant = exchanges.find(({ id }) => id === pair.variant);
  const shared = whole ? common(control, variant) : [];
  return html`<div class="pair v-${pair.verdict}">
    <p class="what">${verdictBadge(pair.verdict)} ${shown(pair.what)}</p>
    <div class="sides">
      ${panel('Control', 'control', pair, control, shared)}${panel('Variant', 'variant', pair, variant, shared)}
    </div>
  </div>`;
}

/** Pairs that came out as they should, one row each: enough to see what was tried. */
export function pairTable(pairs: readonly PairEvidence[]): Markup {
  return html`<table class="stack pairs">
    <thead>
      <tr>
        <th scope="col">Variant</th>
        <th scope="col">Only difference</th>
        <th scope="col">Expected</th>
        <th scope="col">Observed</th>
        <th scope="col">Verdict</th>
      </tr>
    </thead>
    <tbody>
      ${pairs.map(
        (pair) =>
          html`<tr>
            <th scope="row">${shown(pair.what)}</th>
            <td data-label="Only difference">
              ${pair.difference.map((difference) => html`<div><code>${shown(difference.field)}</code>: ${shownUpTo(difference.control, 120)} → <mark>${shownUpTo(difference.variant, 120)}</mark></div>`)}
            </td>
            <td data-label="Expected">${shown(pair.expected)}</td>
            <td data-label="Observed">${shownUpTo(pair.observed, 300)}</td>
            <td data-label="Verdict">${verdictBadge(pair.verdict)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
