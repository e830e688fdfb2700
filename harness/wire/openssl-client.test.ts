import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { EXPORTER_LABEL } from './exporter.ts';
import type { Outcome, WireRequest } from './connection.ts';
import { pki, startHttp, type LoopbackServer } from './loopback-server.ts';
import { loadOpenSslClient, type OpenSslClient } from './openssl-client.ts';

const get: WireRequest = { method: 'GET', target: '/', fields: [] };

async function openssl(): Promise<OpenSslClient> {
  const client = await loadOpenSslClient();
  if ('unavailable' in client) throw new Error(client.unavailable);
  return client;
}

/** A server whose responses are its exporter value and the peer's subject. */
function start(labels: string[] = []): Promise<LoopbackServer> {
  return startHttp((server) => {
    server.on('keylog', (line: Buffer) => labels.push(line.toString().split(' ')[0] ?? ''));
    server.on('request', (request, response) => {
      const socket = request.socket as TLSSocket;
      const value = socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)).toString('hex');
      response.end(`${value} ${socket.getPeerX509Certificate()?.subject}`);
    });
  });
}

const bodyOf = (outcome: Outcome): string =>
  outcome.type === 'response' ? outcome.body.toString() : outcome.detail;

test('sends KeyUpdates, which leave the exporter value as it was', async () => {
  const labels: string[] = [];
  await using server = await start(labels);
  await using connection = await (await openssl()).connect(server.options());
  const value = connection.exporter();
  const served = `${value.toString('hex')} CN=alice`;
  expect(bodyOf(await connection.send(get))).toBe(served);
  connection.keyUpdate(false);
  expect(bodyOf(await connection.send(get))).toBe(served);
  connection.keyUpdate(true);
  expect(bodyOf(await connection.send(get))).toBe(served);
  expect(labels.slice(5)).toEqual([
    'CLIENT_TRAFFIC_SECRET_N',
    'CLIENT_TRAFFIC_SECRET_N',
    'SERVER_TRAFFIC_SECRET_N',
  ]);
  expect(connection.exporter()).toEqual(value);
  await connection.close();
  expect(connection.exporter()).toEqual(value);
  expect(() => connection.exporter({ length: 64 })).toThrow('take it while the connection is open');
});

test('renegotiates with another certificate, which changes the exporter value', async () => {
  await using server = await start();
  await using connection = await (await openssl()).connect(server.options({ tls: 'TLSv1.2' }));
  expect(connection.facts).toMatchObject({ extendedMasterSecret: true, exporterCheck: 'key-log' });
  const before = connection.exporter();
  expect(bodyOf(await connection.send(get))).toBe(`${before.toString('hex')} CN=alice`);
  expect(await connection.renegotiate(pki.mallory)).toBeUndefined();
  const after = connection.exporter();
  expect(after).not.toEqual(before);
  expect(bodyOf(await connection.send(get))).toBe(`${after.toString('hex')} CN=mallory`);
  await connection.close();
  expect(connection.exporter({ length: 16 })).toEqual(after.subarray(0, 16));
});

test('sees a renegotiation refused', async () => {
  await using server = await startHttp((http) => {
    http.prependListener('secureConnection', (socket: TLSSocket) => socket.disableRenegotiation());
    http.on('request', (_request, response) => response.end('ok'));
  });
  await using connection = await (await openssl()).connect(server.options({ tls: 'TLSv1.2' }));
  await connection.send(get);
  await connection.renegotiate(undefined, 1000);
  expect(await connection.send(get, 1000)).toMatchObject({ type: 'failure' });
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('resumes a session of its own (%s)', async (tls) => {
  await using server = await start();
  const client = await openssl();
  const first = await client.connect(server.options({ tls }));
  const session = await first.session();
  await first.close();
  await using second = await client.connect(server.options({ tls, ...(session && { session }) }));
  expect(second.facts.resumed).toBe(true);
  expect(bodyOf(await second.send(get))).toBe(`${second.exporter().toString('hex')} CN=alice`);
  expect(second.serverEndPoint).toEqual(first.serverEndPoint);
});

test('sends no early data where the session allows none', async () => {
  await using server = await start();
  const client = await openssl();
  await using first = await client.connect(server.options());
  const session = await first.session();
  let asked = false;
  const earlyRequest = (): WireRequest => {
    asked = true;
    return get;
  };
  await using second = await client.connect({
    ...server.options(),
    ...(session && { session }),
    earlyRequest,
  });
  expect(second.earlyData).toBe('none');
  expect(second.earlyResponse).toBeUndefined();
  expect(asked).toBe(false);
  expect(await second.send(get)).toMatchObject({ status: 200 });
});

const outcome = (kind: string): object => ({ outcome: { type: 'failure', kind } });

test('fails as the other client does', async () => {
  await using server = await start();
  const client = await openssl();
  await using none = await client.connect(server.options({ identity: null }));
  expect(await none.send(get)).toMatchObject({ kind: 'tls-alert', alert: 'certificate_required' });
  const strange = server.options({ serverAuthorities: pki.stranger.certificate });
  await expect(client.connect(strange)).rejects.toMatchObject(outcome('tls-handshake'));
  await expect(client.connect(server.options({ servername: 'x.test' }))).rejects.toMatchObject(
    outcome('tls-handshake'),
  );
  await expect(client.connect(server.options({ port: 1 }))).rejects.toMatchObject(outcome('refused'));
  await expect(client.connect(server.options({ http: 'h2' }))).rejects.toThrow('HTTP/1.1 only');
});

test('leaves the extended master secret out when told', async () => {
  await using server = await start();
  await using connection = await (
    await openssl()
  ).connect(server.options({ tls: 'TLSv1.2', extendedMasterSecret: false }));
  expect(connection.facts.extendedMasterSecret).toBe(false);
});
