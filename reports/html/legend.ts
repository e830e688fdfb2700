import { VERDICTS, type Attribution, type Level, type Verdict } from '../../harness/scenario/record.ts';
import { levelChip, verdictBadge } from './badge.ts';
import { html, type Markup } from './markup.ts';

const VERDICT: Readonly<Record<Verdict, string>> = {
  fail: 'A MUST, MUST NOT or security requirement is broken. The target is not conformant.',
  inconclusive:
    'A control failed or the suite could not measure. Nothing is known; it never counts as a pass.',
  warn: 'A SHOULD is not followed. The target conforms, but has to have a good reason.',
  info: 'An observation where the draft is unclear. Neither reading is held against the target.',
  'not-applicable':
    'The target does not claim the capability that is needed, or the case is impossible with it; the reason is given.',
  pass: 'Every control was served, every variant was treated as required, and for the right reason.',
};

const ATTRIBUTION: Readonly<Record<Attribution, string>> = {
  target: 'The implementation under test does, or does not do, something.',
  harness: 'The suite itself could not do its part. Please report it.',
  environment: 'The machine or network lacks something that the scenario needs.',
  specification: 'The draft’s text allows more than one reading.',
};

const LEVEL: Readonly<Record<Level, string>> = {
  MUST: 'Demanded by a keyword of the draft, a required member or a numbered verification step.',
  'MUST NOT': 'Forbidden by a keyword of the draft.',
  SECURITY:
    'Not spelled out, but without it the draft’s security property does not hold; judged like a MUST.',
  SHOULD: 'Recommended; departing from it gives a warning.',
  MAY: 'Optional; tested where claimed.',
  AMBIGUOUS: 'The text is unclear; the behaviour is recorded.',
};

const TERMS: readonly (readonly [string, string])[] = [
  [
    'Control',
    'A request that is right in every way, and must be served. Without it a refusal shows nothing.',
  ],
  ['Neutral', 'A request with a harmless difference, which must be served as well.'],
  ['Variant', 'A request that differs from a control that was just served in exactly one declared way.'],
  ['Minimal pair', 'A control and a variant. The difference shown was computed from what stood on the wire.'],
  [
    'Distance',
    'How far a target’s failures are from those of a known mistake: of all scenarios that fail on either, the share that fails on only one. 0 is the same, 1 is none in common.',
  ],
  ['Permutation', 'TLS version, HTTP version and type of the client’s key that a scenario ran under.'],
  [
    'Exporter cross-check',
    'On TLS 1.3 the exporter value was also computed from the key log, apart from the TLS library.',
  ],
];

function definitions(heading: string, rows: readonly (readonly [string | Markup, string])[]): Markup {
  return html`<div>
    <h3>${heading}</h3>
    <dl>
      ${rows.map(
        ([term, meaning]) =>
          html`<div>
            <dt>${term}</dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>
  </div>`;
}

const entriesOf = <K extends string>(table: Readonly<Record<K, string>>): [K, string][] =>
  Object.entries(table) as [K, string][];

/** What each word of the report means. */
export function legend(): Markup {
  return html`<section id="legend" aria-labelledby="legend.h">
    <h2 id="legend.h">Legend</h2>
    <div class="legend">
      ${definitions(
        'Verdicts',
        VERDICTS.map((verdict) => [verdictBadge(verdict), VERDICT[verdict]]),
      )}
      ${definitions(
        'Levels of requirements',
        entriesOf(LEVEL).map(([level, meaning]) => [levelChip(level), meaning]),
      )}
      ${definitions('Attribution: whose matter it is', entriesOf(ATTRIBUTION))} ${definitions('Terms', TERMS)}
    </div>
  </section>`;
}
