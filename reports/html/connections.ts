import type { ConnectionEvidence } from '../../harness/scenario/record.ts';
import { html, type Markup, milliseconds, shown } from './markup.ts';

const LISTED = 20;

function certificate({ clientCertificate, certificateWithheld }: ConnectionEvidence): Markup {
  if (clientCertificate === null)
    return certificateWithheld === undefined
      ? html`none`
      : html`none: <span class="dim">${shown(certificateWithheld)}</span>`;
  const { name, keyType, thumbprint } = clientCertificate;
  return html`${shown(name)} <span class="dim">${shown(keyType)}, ${shown(thumbprint.slice(0, 12))}…</span>`;
}

const yes = (value: boolean): string => (value ? 'yes' : 'no');

function row(connection: ConnectionEvidence): Markup {
  return html`<tr>
    <th scope="row">${shown(connection.id)}</th>
    <td data-label="TLS">
      ${shown(connection.tls)}
      <span class="dim">${shown(connection.cipher)}</span
      >${connection.failure !== undefined && html`<div class="broken">${shown(connection.failure)}</div>`}
    </td>
    <td data-label="ALPN">${shown(connection.alpn)}</td>
    <td data-label="EMS">${yes(connection.extendedMasterSecret)}</td>
    <td data-label="Resumed">${yes(connection.resumed)}</td>
    <td data-label="Client certificate">${certificate(connection)}</td>
    <td data-label="Exporter cross-check">
      ${connection.exporterCheck === 'key-log' ? 'equals the key log’s' : 'not possible'}
    </td>
    <td data-label="Handshake">${milliseconds(connection.handshakeMs)}</td>
  </tr>`;
}

/** The TLS facts of a result's connections. */
export function connectionTable(connections: readonly ConnectionEvidence[]): Markup | null {
  if (connections.length === 0) return null;
  const rest = connections.length - LISTED;
  return html`<h5>Connections</h5>
    <table class="stack">
      <thead>
        <tr>
          <th scope="col"><abbr title="Connection">Conn.</abbr></th>
          <th scope="col">TLS</th>
          <th scope="col">ALPN</th>
          <th scope="col"><abbr title="Extended master secret (RFC 7627)">EMS</abbr></th>
          <th scope="col">Resumed</th>
          <th scope="col">Client certificate</th>
          <th scope="col">Exporter cross-check</th>
          <th scope="col">Handshake</th>
        </tr>
      </thead>
      <tbody>
        ${connections.slice(0, LISTED).map(row)}
      </tbody>
    </table>
    ${rest > 0 && html`<p class="dim">and ${rest} more in report.json</p>`}`;
}
