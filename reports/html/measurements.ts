import type { Measurement } from '../../harness/scenario/record.ts';
import { permutationText } from '../../harness/scenario/permutation.ts';
import type { TargetConclusion } from '../conclusion.ts';
import { html, shown, type Markup } from './markup.ts';

/** What was measured on a target beside what was judged: one column for each permutation that it was measured under. */
export function measurements({ groups }: TargetConclusion): Markup | false {
  const measured = groups
    .flatMap(({ results }) => results)
    .filter(({ evidence }) => (evidence.measurements ?? []).length > 0);
  if (measured.length === 0) return false;
  const columns = measured.map(({ permutation }) => permutationText(permutation));
  const rows = [
    ...new Set(measured.flatMap(({ evidence }) => (evidence.measurements ?? []).map(({ what }) => what))),
  ];
  const cell = (what: string, column: number): string => {
    const found = measured[column]?.evidence.measurements?.find((one) => one.what === what);
    return found === undefined ? '–' : valueText(found);
  };
  return html`<h3>What the binding costs</h3>
    <div>
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Measured in this run</th>
            ${columns.map((column) => html`<th scope="col">${shown(column)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (what) =>
              html`<tr>
                <th scope="row">${shown(what)}</th>
                ${columns.map((_column, index) => html`<td data-label="${columns[index]}">${shown(cell(what, index))}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function valueText({ value, unit }: Measurement): string {
  return unit === '' ? String(value) : `${value} ${unit}`;
}
