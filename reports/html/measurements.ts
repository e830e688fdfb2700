import type { Measurement } from '../../harness/scenario/record.ts';
import { permutationText } from '../../harness/scenario/permutation.ts';
import type { TargetConclusion } from '../conclusion.ts';
import { html, shown, type Markup } from './markup.ts';

/** What was measured under one permutation. */
interface Column {
  readonly name: string;
  readonly values: readonly Measurement[];
}

const DERIVED =
  'Derived from the texts, not measured: what a resource server verifies is not seen from outside. One that remembers neither tokens nor bindings that it has verified has one of each to verify for each request. The tests of the embedded reference count what that verifies: as much as stands here.';

/**
 * What was measured on a target beside what was judged, one column for each permutation that it was measured under; and
 * apart from it what is only derived.
 */
export function measurements({ groups }: TargetConclusion): Markup | false {
  const columns = groups
    .flatMap(({ results }) => results)
    .filter(({ evidence }) => (evidence.measurements ?? []).length > 0)
    .map(({ permutation, evidence }): Column => ({
      name: permutationText(permutation),
      values: evidence.measurements ?? [],
    }));
  if (columns.length === 0) return false;
  const derived = columns
    .flatMap(({ values }) => values)
    .filter(({ derivedFrom }) => derivedFrom !== undefined);
  return html`<h3>What the binding costs</h3>
    ${table(
      'Measured in this run',
      columns,
      (one) => one.derivedFrom === undefined,
      () => false,
    )}
    ${
      derived.length > 0 &&
      html`<h4>What the resource server has to verify for it</h4>
        <p class="dim">${DERIVED}</p>
        ${table(
          'Derived, for the same requests',
          columns,
          (one) => one.derivedFrom !== undefined,
          (what) => derived.find((one) => one.what === what)?.derivedFrom ?? false,
        )}`
    }`;
}

/** @param source of a row: where its values are derived from */
function table(
  caption: string,
  columns: readonly Column[],
  belongs: (measurement: Measurement) => boolean,
  source: (what: string) => string | false,
): Markup {
  const rows = [...new Set(columns.flatMap(({ values }) => values.filter(belongs).map(({ what }) => what)))];
  return html`<div>
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">${caption}</th>
          ${columns.map(({ name }) => html`<th scope="col">${shown(name)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((what) => {
          const from = source(what);
          return html`<tr>
            <th scope="row">
              ${shown(what)}${from !== false && html` <span class="dim">(${shown(from)})</span>`}
            </th>
            ${columns.map(({ name, values }) => html`<td data-label="${name}">${shown(cell(values, what))}</td>`)}
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function cell(values: readonly Measurement[], what: string): string {
  const found = values.find((one) => one.what === what);
  return found === undefined ? '–' : valueText(found);
}

function valueText({ value, unit }: Measurement): string {
  return unit === '' ? String(value) : `${value} ${unit}`;
}
