import type { MatrixParty } from '../../harness/matrix/record.ts';
import type { MatrixView } from '../matrix.ts';
import { verdictBadge, verdictWord } from './badge.ts';
import { documentOf } from './document.ts';
import { html, type Markup, milliseconds, plural, shown } from './markup.ts';
import { cellId, partyId, told } from './matrix-address.ts';
import { drillDown } from './matrix-pair.ts';
import { journeyLegend, parties } from './matrix-parties.ts';

type Pair = MatrixView['pairs'][number];

/** Of a journey in one character, gravest outcome first. */
export const OUTCOME_MARK = { fail: '✕', inconclusive: '?', pass: '✓', 'not-applicable': '–' } as const;

const CLASS = { fail: 'not-conformant', inconclusive: 'inconclusive', pass: 'conformant' } as const;
const PARTS = [
  ['fail', 'Pairs that fail'],
  ['inconclusive', 'Pairs that could not be told'],
  ['pass', 'Pairs that work'],
] as const;

/** An interop matrix as one self-contained HTML file: every client with every server, and what each pair did. */
export function renderMatrix(view: MatrixView): string {
  const { record, outcome, verdict, pairs } = view;
  const failing = pairs.filter((pair) => pair.verdict === 'fail').length;
  return documentOf({
    title: `Interop matrix: ${failing === 0 ? outcome : `${plural(failing, 'pair')} ${failing === 1 ? 'fails' : 'fail'}`}`,
    skip: ['matrix', 'Skip to the matrix'],
    body: html`<header class="page">
        <h1>Interop matrix <span>TLS-session-bound access tokens</span></h1>
        <p class="run-line">
          ${shown(record.draft)} · ${shown(record.startedAt.replace('T', ' ').replace(/\.\d+Z$/, 'Z'))} ·
          ${milliseconds(record.durationMs)}
        </p>
      </header>
      <main>
        ${problems(record.problems)}
        <p class="outcome c-${CLASS[verdict]}">${verdictBadge(verdict)} ${shown(outcome)}</p>
        <section aria-labelledby="matrix">
          <h2 id="matrix">Every client with every server</h2>
          ${grid(view)}
        </section>
        ${PARTS.map(([which, heading]) =>
          part(
            heading,
            which,
            pairs.filter((pair) => pair.verdict === which),
          ),
        )}
        ${parties(record)} ${journeyLegend(pairs)}
      </main>
      <footer class="page">
        <p>
          Written by ${shown(`${record.tool.name} ${record.tool.version}`)}. The same is in
          <code>matrix.json</code> beside this file.
        </p>
      </footer>`,
  });
}

function problems(matters: readonly string[]): Markup | null {
  return matters.length === 0
    ? null
    : html`<section class="problems" aria-labelledby="problems">
        <h2 id="problems">Problems of this run</h2>
        <ul>
          ${matters.map((matter) => html`<li>${told(matter)}</li>`)}
        </ul>
      </section>`;
}

function grid({ record: { clients, servers }, pairs }: MatrixView): Markup {
  const found = new Map(pairs.map((pair) => [cellId(pair.cell.client, pair.cell.server), pair]));
  return html`<div class="matrix-scroll" role="region" aria-label="Matrix" tabindex="0">
      <table class="interop">
        <thead>
          <tr>
            <th scope="col" rowspan="2">Client</th>
            <th scope="colgroup" colspan="${servers.length}">Server</th>
          </tr>
          <tr>
            ${servers.map((server) => html`<th scope="col">${heading('server', server)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${clients.map(
            (client) =>
              html`<tr>
                <th scope="row">${heading('client', client)}</th>
                ${servers.map((server) => gridCell(client, server, found.get(cellId(client.name, server.name))))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="dim marks">
      Journeys: ✕ failed · ? could not be told · ✓ passed · – does not apply. A pair leads to what it did.
    </p>`;
}

function heading(side: 'client' | 'server', { name, title, reference, problem }: MatrixParty): Markup {
  return html`<a href="#${partyId(side, name)}">${shown(name)}</a>
    ${reference && html`<span class="chip">reference</span>`}
    <small>${told(title, 80)}</small>
    ${problem !== undefined && html`<small class="broken">not started: ${told(problem, 120)}</small>`}`;
}

function gridCell(client: MatrixParty, server: MatrixParty, pair: Pair | undefined): Markup {
  if (pair === undefined) {
    const missing =
      client.problem === undefined
        ? server.problem && partyId('server', server.name)
        : partyId('client', client.name);
    return html`<td>${missing === undefined ? 'not run' : html`<a href="#${missing}">not run</a>`}</td>`;
  }
  const { verdict, failed, counts } = pair;
  return html`<td class="v-${verdict}">
    <a href="#${cellId(client.name, server.name)}"
      >${counts.map(
        ([outcome, count], index) =>
          html`${index > 0 && ' · '}<span aria-hidden="true">${OUTCOME_MARK[outcome]} </span>${count}<span
              class="spoken"
            >
              ${verdictWord(outcome)}</span
            >`,
      )}</a
    >
    ${failed.map((journey) => html`<small class="broken">${shown(journey)}</small>`)}
  </td>`;
}

function part(heading: string, which: MatrixView['verdict'], pairs: readonly Pair[]): Markup | null {
  return pairs.length === 0
    ? null
    : html`<section aria-labelledby="pairs-${which}">
        <h2 id="pairs-${which}">${heading}</h2>
        ${pairs.map(drillDown)}
      </section>`;
}
