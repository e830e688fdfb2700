import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { connect } from '../../wire/connect.ts';
import { EXPORTER_LABEL } from '../../wire/exporter.ts';
import { pki } from '../../wire/loopback-server.ts';
import { loadOpenSslClient, type OpenSslClient } from '../../wire/openssl-client.ts';
import type { TransportPlan } from './contract.ts';
import { get, optionsFor, started } from './counterpart.fixture.ts';

const ENGINE = { http: 'http/1.1', engine: 'openssl' } as const;

async function openssl(): Promise<OpenSslClient> {
  const client = await loadOpenSslClient();
  if ('unavailable' in client) throw new Error(client.unavailable);
  return client;
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'knows of a connection what the client knows (%s)',
  async (tls) => {
    const server = await started({ ...ENGINE, tls });
    await using connection = await connect(optionsFor(server, { tls }));
    const body = Buffer.alloc(100_000, 'b');
    expect(await connection.send({ ...get, method: 'POST', body })).toMatchObject({ status: 200 });
    const [upstream] = server.connections;
    expect(upstream?.facts).toMatchObject({
      tls,
      cipher: connection.facts.cipher,
      alpn: 'none',
      extendedMasterSecret: true,
      resumed: false,
      serverName: 'localhost',
      clientPort: connection.facts.localPort,
      exporterCheck: tls === 'TLSv1.2' ? 'key-log' : 'not-checked',
    });
    const value = connection.exporter();
    expect(upstream?.exporter()).toEqual(value);
    expect(upstream?.exporter({ context: null })).toEqual(connection.exporter({ context: null }));
    expect(upstream?.tlsUnique).toEqual(connection.tlsUnique);
    expect(upstream?.serverEndPoint).toEqual(connection.serverEndPoint);
    expect(upstream?.clientRandom).toEqual(connection.clientRandom);
    expect(upstream?.clientChain.map(({ subject }) => subject)).toEqual(['CN=alice']);
    expect(server.requests[0]?.body.equals(body)).toBe(true);
    await server.begin({ ...ENGINE, tls }, () => ({ kind: 'end' }));
    expect(connection.open).toBe(false);
    expect(upstream?.exporter()).toEqual(value);
    expect(server.faults).toEqual([]);
  },
);

test('sends KeyUpdate, after which the connection goes on with the same exporter value', async () => {
  const server = await started({ ...ENGINE, tls: 'TLSv1.3' });
  const socket = connectTls({ port: server.port, host: server.host, rejectUnauthorized: false });
  const labels: string[] = [];
  socket.on('keylog', (line: Buffer) => labels.push(line.toString('latin1').split(' ')[0] ?? ''));
  await once(socket, 'secureConnect');
  socket.write('GET /1 HTTP/1.1\r\n\r\n');
  await once(socket, 'data');
  const [upstream] = server.connections;
  const value = upstream?.exporter();
  upstream?.keyUpdate();
  socket.write('GET /2 HTTP/1.1\r\n\r\n');
  await once(socket, 'data');
  expect(upstream?.exporter()).toEqual(value);
  const updates = (): readonly string[] => labels.filter((label) => label.endsWith('_N')).toSorted();
  // The server's key is new at once, the client's with its next octets.
  await expect.poll(updates).toContain('SERVER_TRAFFIC_SECRET_N');
  socket.write('GET /3 HTTP/1.1\r\n\r\n');
  expect(await server.awaitRequest(({ target }) => target === '/3', 2000)).toBeDefined();
  expect(updates()).toEqual(['CLIENT_TRAFFIC_SECRET_N', 'SERVER_TRAFFIC_SECRET_N']);
  expect(upstream?.exporter()).toEqual(socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
  socket.destroy();
  server.meet({ tls: 'TLSv1.3', http: 'http/1.1' });
  await using other = await connect(optionsFor(server));
  await other.send(get);
  expect(() => server.connections[1]?.keyUpdate()).toThrow('engine `openssl`');
});

test('accepts early data where planned, and tells it apart', async () => {
  const plan: TransportPlan = { ...ENGINE, tls: 'TLSv1.3', resumption: 'tickets', earlyData: true };
  const server = await started(plan);
  const client = await openssl();
  await using first = await client.connect(optionsFor(server));
  expect(await first.send(get)).toMatchObject({ status: 200 });
  const session = await first.session();
  if (session === undefined) throw new Error('no session');
  await using second = await client.connect({
    ...optionsFor(server, { session }),
    earlyRequest: () => ({ ...get, target: '/early' }),
  });
  expect(second.earlyData).toBe('accepted');
  expect(await second.earlyResponse).toMatchObject({ status: 200 });
  expect(await second.send(get)).toMatchObject({ status: 200 });
  const [one, two] = server.connections;
  expect([one?.facts.resumed, two?.facts.resumed]).toEqual([false, true]);
  expect([one?.earlyData.length, two?.earlyData.toString().split('\r\n')[0]]).toEqual([
    0,
    'GET /early HTTP/1.1',
  ]);
  expect(two?.requests.map(({ target }) => target)).toEqual(['/early', get.target]);
  expect(two?.exporter()).toEqual(second.exporter());
  expect(two?.clientChain[0]?.subject).toBe('CN=alice');
});

test('serves clients that send no early data though they may, and those that do not resume', async () => {
  const server = await started({ ...ENGINE, tls: 'TLSv1.3', resumption: 'tickets', earlyData: true });
  for (const session of [undefined, 'again'] as const) {
    await using connection = await connect(optionsFor(server));
    expect(await connection.send(get)).toMatchObject({ status: 200 });
    const ticket = await connection.session();
    await using resumed = await connect(optionsFor(server, ticket === undefined ? {} : { session: ticket }));
    expect(await resumed.send(get)).toMatchObject({ status: 200 });
    expect([session, resumed.facts.resumed]).toEqual([session, true]);
  }
  server.meet({ ...ENGINE, tls: 'TLSv1.3' });
  await using none = await connect(optionsFor(server));
  expect(await none.send(get)).toMatchObject({ status: 200 });
  expect(await none.session(50)).toBeUndefined();
});

test('survives refusals, garbage, half handshakes and resets', async () => {
  const plan: TransportPlan = { ...ENGINE, tls: 'TLSv1.3' };
  const server = await started(plan);
  const client = await openssl();
  const stranger = client.connect(optionsFor(server, { serverAuthorities: pki.stranger.certificate }));
  await expect(stranger).rejects.toThrow('TLS failed');
  await expect.poll(() => server.failedHandshakes).toHaveLength(1);
  expect(server.failedHandshakes[0]?.reason).toBe('the client sent the TLS alert unknown_ca');
  const plain = connectTcp(server.port, server.host);
  plain.on('error', () => undefined);
  plain.write('GET / HTTP/1.1\r\n\r\n');
  plain.resume();
  await once(plain, 'close');
  const resetting = connectTcp(server.port, server.host);
  resetting.write(Buffer.from('160301020001000200', 'hex'), () => resetting.resetAndDestroy());
  await once(resetting, 'close');
  const silent = connectTcp(server.port, server.host);
  silent.on('error', () => undefined);
  await once(silent, 'connect');
  await expect.poll(() => server.failedHandshakes).toHaveLength(3);
  await using stands = await connect(optionsFor(server));
  const ends = [
    { kind: 'end' },
    { kind: 'reset' },
    { kind: 'cut', status: 200, how: 'end' },
    { kind: 'cut', status: 200, how: 'reset' },
    { kind: 'response', status: 200, fields: [], body: '', closes: true },
  ] as const;
  const kinds: string[] = [];
  for (const answer of ends) {
    server.answerWith(() => answer);
    await using connection = await connect(optionsFor(server));
    const outcome = await connection.send(get);
    kinds.push(outcome.type === 'response' ? `${outcome.status}` : outcome.kind);
  }
  expect(kinds).toEqual(['closed', 'reset', 'closed', 'reset', '200']);
  await server.begin(plan, () => ({ kind: 'end' }));
  expect(stands.open).toBe(false);
  expect(server.faults).toEqual([]);
});
