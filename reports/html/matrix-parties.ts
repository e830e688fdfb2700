import type { MatrixRecord } from '../../harness/matrix/record.ts';
import type { MatrixView } from '../matrix.ts';
import { html, type Markup, shown } from './markup.ts';
import { partyId, told } from './matrix-address.ts';

/** What took part, and why it did not where it could not be started. */
export function parties({ clients, servers }: MatrixRecord): Markup {
  const rows = [
    ...clients.map((party) => ['client', party] as const),
    ...servers.map((party) => ['server', party] as const),
  ];
  return html`<section aria-labelledby="parties">
    <h2 id="parties">Clients and servers</h2>
    <table class="stack parties">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Side</th>
          <th scope="col">What it is</th>
          <th scope="col">Version</th>
          <th scope="col">Started as</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([side, { name, title, homepage, version, startedAs, reference, problem }]) =>
            html`<tr id="${partyId(side, name)}">
              <th scope="row">${shown(name)} ${reference && html`<span class="chip">reference</span>`}</th>
              <td data-label="Side">${side}</td>
              <td data-label="What it is">
                ${told(title)} ${homepage !== undefined && html`<span class="dim">${told(homepage)}</span>`}
              </td>
              <td data-label="Version">${told(version ?? 'not told')}</td>
              <td data-label="Started as">
                <code>${told(startedAs)}</code>
                ${problem !== undefined && html`<p class="broken">✕ Not started: ${told(problem)}</p>`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

/** What each journey is. */
export function journeyLegend(pairs: MatrixView['pairs']): Markup | null {
  const titles = new Map(
    pairs.flatMap(({ cell }) => cell.journeys.map(({ journey, title }) => [journey, title])),
  );
  return titles.size === 0
    ? null
    : html`<section aria-labelledby="journeys">
        <h2 id="journeys">Journeys</h2>
        <div class="legend">
          <dl>
            ${[...titles].map(
              ([journey, title]) =>
                html`<div>
                  <dt><code>${shown(journey)}</code></dt>
                  <dd>${told(title)}</dd>
                </div>`,
            )}
          </dl>
        </div>
      </section>`;
}
