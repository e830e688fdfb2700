import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openStore } from '../../certs/store.ts';
import { EMBEDDED, FORMS, inForm } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import type { Manifest } from '../target/manifest.ts';
import { JOURNEYS } from './journeys.ts';
import { interoperate } from './matrix.ts';
import type { MatrixOutcome } from './matrix.ts';

const client = await loadManifest(EMBEDDED.client);
const server = await loadManifest(EMBEDDED['resource-server']);
const shim = await loadManifest(
  fileURLToPath(new URL('../../targets/reference-client/shim.yaml', import.meta.url)),
);
const store = await openStore();

function mutant(manifest: Manifest, id: string): Manifest {
  const role = manifest.role as 'client' | 'resource-server';
  return inForm(manifest, 'mutant', FORMS[role].mutant?.module ?? '', id, id);
}

async function met(clients: readonly Manifest[], servers: readonly Manifest[]): Promise<MatrixOutcome> {
  return interoperate({ clients: [client, ...clients], servers: [server, ...servers], store });
}

/** Journeys that failed: `client × server journey, blamed`. */
function failures({ cells }: MatrixOutcome): readonly string[] {
  return cells.flatMap((cell) =>
    cell.journeys
      .filter(({ outcome }) => outcome === 'fail')
      .map(({ journey, blame }) => `${cell.client} × ${cell.server} ${journey}: ${blame?.on ?? ''}`),
  );
}

test('the references go every journey together', async () => {
  const outcome = await met([shim], []);
  expect(outcome.problems).toEqual([]);
  expect(outcome.cells).toHaveLength(2);
  for (const { journeys, traffic } of outcome.cells) {
    expect(journeys.map(({ journey }) => journey)).toEqual(JOURNEYS.map(({ id }) => id));
    // The reference client offers no session to resume.
    expect(journeys.filter(({ outcome: came }) => came !== 'pass').map(({ journey }) => journey)).toEqual([
      'resumption',
    ]);
    expect(traffic.tls).toEqual(['TLSv1.3']);
    expect(traffic.connections).toBeGreaterThan(3);
  }
});

test('a server that does not compare ekm is found out, and blamed', async () => {
  expect(failures(await met([shim], [mutant(server, 'M-RS-21')]))).toEqual([
    'reference-sidecar × m-rs-21 replay: server',
    'reference-client-shim × m-rs-21 replay: server',
  ]);
});

test('a client that encodes ekm in another way gets nowhere, and is blamed', async () => {
  const found = failures(await met([mutant(client, 'M-CL-103')], []));
  expect(found).toContain('m-cl-103 × reference-resource-server first-use: client');
  expect(found).toContain('m-cl-103 × reference-resource-server reconnect: client');
  expect(found.every((line) => line.startsWith('m-cl-103 × ') && line.endsWith(': client'))).toBe(true);
});

test('a client that sends one proof with every token is found out', async () => {
  expect(failures(await met([mutant(client, 'M-CL-157')], []))).toContain(
    'm-cl-157 × reference-resource-server parallel: client',
  );
});

test('one that cannot be started has no cells, and the others go on', async () => {
  const broken: Manifest = {
    ...shim,
    name: 'broken',
    start: { kind: 'process', command: ['/nowhere/at-all'], directory: '/' },
  };
  const outcome = await met([broken], []);
  expect(outcome.clients.find(({ name }) => name === 'broken')?.problem).toContain(
    'there is no such program',
  );
  expect(outcome.cells.map((cell) => cell.client)).toEqual(['reference-sidecar']);
});
