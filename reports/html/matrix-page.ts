import type {
  Blame,
  JourneyOutcome,
  JourneyResult,
  MatrixParty,
  MatrixRecord,
  Step,
} from '../../harness/matrix/record.ts';
import type { MatrixView } from '../matrix.ts';
import { clip } from '../visible.ts';
import { verdictBadge, verdictWord } from './badge.ts';
import { documentOf } from './document.ts';
import { html, type Markup, milliseconds, plural, shown } from './markup.ts';

type Pair = MatrixView['pairs'][number];

/** Of a journey in one character, gravest outcome first. */
export const OUTCOME_MARK = { fail: '✕', inconclusive: '?', pass: '✓', 'not-applicable': '–' } as const;

/** Whose matter a failure is, as it is said to people. */
export const BLAMED: Readonly<Record<Blame['on'], string>> = {
  client: 'the client',
  server: 'the server',
  both: 'client and server, each by itself',
  pair: 'the two together, neither by itself',
};

const CLASS = { fail: 'not-conformant', inconclusive: 'inconclusive', pass: 'conformant' } as const;
const PARTS = [
  ['fail', 'Pairs that fail'],
  ['inconclusive', 'Pairs that could not be told'],
  ['pass', 'Pairs that work'],
] as const;
const octets = new Intl.NumberFormat('en');

/** What an address cannot hold is written as its number, so that no two names become one. */
const safe = (name: string): string =>
  name.replaceAll(/[^\w.-]/gu, (character) => `~${character.codePointAt(0)?.toString(16) ?? ''}~`);
const cellId = (client: string, server: string): string => `${safe(client)}/${safe(server)}`;
const partyId = (side: string, name: string): string => `${side}.${safe(name)}`;

function told(text: string, length = 600): Markup {
  const { text: kept, omitted } = clip(text, length);
  return omitted === 0
    ? shown(kept)
    : html`${shown(kept)}<span class="cut">… ${omitted} more characters in matrix.json</span>`;
}

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

function drillDown({ cell, verdict, failed }: Pair): Markup {
  const { client, server, journeys, traffic, durationMs } = cell;
  const facts = [
    ['Connections', `${traffic.connections}, ${traffic.resumed} of them resumed`],
    ['TLS', traffic.tls.join(', ') || 'none'],
    ['Client to server', `${octets.format(traffic.sent)} octets`],
    ['Server to client', `${octets.format(traffic.received)} octets`],
    ['Took', milliseconds(durationMs)],
  ] as const;
  // The address is of what is inside: a browser opens what hides the place that it is sent to.
  return html`<details class="permutation" ${verdict === 'fail' && html` open`}>
    <summary>
      ${verdictBadge(verdict)} <b>${shown(client)} with ${shown(server)}</b>
      <span class="dim"
        >${failed.length > 0 ? shown(failed.join(', ')) : plural(journeys.length, 'journey')}</span
      >
    </summary>
    <div class="body" id="${cellId(client, server)}">
      <dl class="facts">
        ${facts.map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${shown(value)}</dd>
            </div>`,
        )}
      </dl>
      <table class="stack journeys">
        <thead>
          <tr>
            <th scope="col">Journey</th>
            <th scope="col">Outcome</th>
            <th scope="col">What was seen</th>
          </tr>
        </thead>
        <tbody>
          ${journeys.map(journeyRow)}
        </tbody>
      </table>
    </div>
  </details>`;
}

function journeyRow({ journey, outcome, because, blame, steps }: JourneyResult): Markup {
  return html`<tr>
    <th scope="row"><code>${shown(journey)}</code></th>
    <td data-label="Outcome">${verdictBadge(outcome)}</td>
    <td>
      ${told(because)}
      ${outcome === 'fail' && html`<p class="why v-fail"><b>Whose matter it is: ${blame === undefined ? 'not found out.' : `${BLAMED[blame.on]}.`}</b> ${blame !== undefined && told(blame.because)}</p>`}
      ${steps.length > 0 && stepList(steps, outcome)}
    </td>
  </tr>`;
}

function stepList(steps: readonly Step[], outcome: JourneyOutcome): Markup {
  return html`<details${outcome === 'fail' && html` open`}>
    <summary>${plural(steps.length, 'step')}</summary>
    <table class="stack steps">
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Expected</th>
          <th scope="col">Seen</th>
          <th scope="col">Connection</th>
        </tr>
      </thead>
      <tbody>
        ${steps.map(
          ({ what, expected, seen, ok, connection }) =>
            html`<tr>
              <th scope="row">${told(what)}</th>
              <td data-label="Expected">${told(expected)}</td>
              <td data-label="Seen" class="${ok ? '' : 'broken'}">${ok ? '✓' : '✕'} ${told(seen)}</td>
              <td data-label="Connection">${connection}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

/** What took part, and why it did not where it could not be started. */
function parties({ clients, servers }: MatrixRecord): Markup {
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

function journeyLegend(pairs: readonly Pair[]): Markup | null {
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
