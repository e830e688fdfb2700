import type { Blame, JourneyOutcome, JourneyResult, Step } from '../../harness/matrix/record.ts';
import type { MatrixView } from '../matrix.ts';
import { verdictBadge } from './badge.ts';
import { html, type Markup, milliseconds, plural, shown } from './markup.ts';
import { cellId, told } from './matrix-address.ts';

/** Whose matter a failure is, as it is said to people. */
export const BLAMED: Readonly<Record<Blame['on'], string>> = {
  client: 'the client',
  server: 'the server',
  both: 'client and server, each by itself',
  pair: 'the two together, neither by itself',
};

const octets = new Intl.NumberFormat('en');

/** What a client and a server did together: traffic, journeys and their steps. */
export function drillDown({ cell, verdict, failed }: MatrixView['pairs'][number]): Markup {
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
