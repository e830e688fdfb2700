import { constants, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { EXPORTER_LABEL } from '../../wire/exporter.ts';
import { pki } from '../../wire/loopback-server.ts';
import type { CounterpartServer, TransportPlan } from './contract.ts';
import { always, bodyOf, client, get, OK, started, TRANSPORTS } from './counterpart.fixture.ts';

const DERIVATIONS = [
  {},
  { context: null },
  { context: Buffer.from('x') },
  { label: 'EXPORTER-Channel-Binding' },
  { length: 64 },
];

test.each(TRANSPORTS)(
  'knows of a connection what the client knows, also after its end ($tls, $http)',
  async (plan) => {
    const server = await started(plan);
    const connection = await client(server, plan);
    expect(bodyOf(await connection.send(get))).toBe('200 hello');
    const [upstream] = server.connections;
    if (upstream === undefined) throw new Error('no connection');
    const theirs = DERIVATIONS.map((derivation) => connection.exporter(derivation));
    expect(DERIVATIONS.map((derivation) => upstream.exporter(derivation))).toEqual(theirs);
    expect(upstream.facts).toMatchObject({
      tls: plan.tls,
      cipher: connection.facts.cipher,
      alpn: plan.http,
      extendedMasterSecret: true,
      resumed: false,
      serverName: 'localhost',
      clientPort: connection.facts.localPort,
      exporterCheck: 'key-log',
    });
    expect(upstream.tlsUnique).toEqual(connection.tlsUnique);
    expect(upstream.serverEndPoint).toEqual(connection.serverEndPoint);
    expect(upstream.clientRandom).toEqual(connection.clientRandom);
    expect(upstream.clientChain.map(({ subject }) => subject)[0]).toBe('CN=alice');
    expect(upstream.clientChain[0]?.fingerprint256).toBe(
      new X509Certificate(pki.alice['P-256'].certificate).fingerprint256,
    );
    expect(upstream.open).toBe(true);
    await connection.close();
    await server.begin(plan, always(OK));
    expect(upstream.open).toBe(false);
    expect(DERIVATIONS.map((derivation) => upstream.exporter(derivation))).toEqual(theirs);
    expect(server.faults).toEqual([]);
  },
);

test.each([
  ['TLSv1.3', 'tickets', true],
  ['TLSv1.3', 'none', false],
  ['TLSv1.2', 'tickets', true],
  ['TLSv1.2', 'session-ids', true],
  ['TLSv1.2', 'none', false],
] as const)('resumes as planned, within one scenario (%s, %s)', async (tls, resumption, resumed) => {
  const plan: TransportPlan = { tls, http: 'http/1.1', resumption };
  const server = await started(plan);
  const first = await client(server, { tls });
  await first.send(get);
  const session = await first.session();
  const offer = session === undefined ? {} : { session };
  const second = await client(server, { tls, ...offer });
  expect(bodyOf(await second.send(get))).toBe('200 hello');
  const [one, two] = server.connections;
  expect([one?.facts.resumed, two?.facts.resumed]).toEqual([false, resumed]);
  expect(two?.exporter()).toEqual(second.exporter());
  expect(two?.exporter()).not.toEqual(one?.exporter());
  expect(two?.tlsUnique).toEqual(second.tlsUnique);
  expect(two?.facts.exporterCheck).toBe('key-log');
  expect(two?.clientChain[0]?.subject).toBe('CN=alice');
  await server.begin(plan, always(OK));
  const third = await client(server, { tls, ...offer });
  expect(bodyOf(await third.send(get))).toBe('200 hello');
  expect(server.connections.map(({ id, facts }) => [id, facts.resumed])).toEqual([['c1', false]]);
});

test('leaves the extended master secret out, asks for no certificate, shows another one: as planned', async () => {
  const server = await started({ tls: 'TLSv1.2', http: 'http/1.1', extendedMasterSecret: false });
  const without = await client(server, { tls: 'TLSv1.2' });
  expect(without.facts.extendedMasterSecret).toBe(false);
  expect(server.connections[0]?.facts.extendedMasterSecret).toBe(false);
  server.meet({ tls: 'TLSv1.3', http: 'http/1.1', requestCertificate: false, identity: pki.mallory });
  const other = await client(server, { serverAuthorities: null });
  expect(bodyOf(await other.send(get))).toBe('200 hello');
  expect(server.connections[1]?.clientChain).toEqual([]);
  expect(server.connections[1]?.serverEndPoint).toEqual(other.serverEndPoint);
  expect(server.connections[0]?.serverEndPoint).not.toEqual(other.serverEndPoint);
  expect(bodyOf(await without.send(get))).toBe('200 hello');
});

test('takes whatever certificate is presented, and none', async () => {
  const server = await started();
  const anonymous = await client(server, { identity: null });
  expect(bodyOf(await anonymous.send(get))).toBe('200 hello');
  const { alice, trusted } = pki;
  const long = { ...alice['Ed25519'], chain: alice['Ed25519'].chain + trusted.certificate };
  await (await client(server, { identity: long })).send(get);
  expect(server.connections.map(({ clientChain }) => clientChain.length)).toEqual([0, 2]);
});

/** A TLS 1.2 client without HTTP, whose end of a renegotiation can be seen. */
async function renegotiable(server: CounterpartServer, secureOptions = 0): Promise<TLSSocket> {
  const { host, port } = server;
  const socket = connectTls({ host, port, rejectUnauthorized: false, secureOptions });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await server.awaitRequest(({ answer }) => answer !== undefined, 2000);
  return socket;
}

test('renegotiates on TLS 1.2, and has the new exporter value then', async () => {
  const server = await started({ tls: 'TLSv1.2', http: 'http/1.1' });
  const socket = await renegotiable(server);
  const [upstream] = server.connections;
  const before = upstream?.exporter();
  const seen = once(socket, 'secure');
  expect(await upstream?.renegotiate()).toBe('renegotiated');
  await seen;
  expect(upstream?.exporter()).toEqual(socket.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)));
  expect(upstream?.exporter()).not.toEqual(before);
  socket.write('GET /2 HTTP/1.1\r\n\r\n');
  expect(await server.awaitRequest(({ target }) => target === '/2', 2000)).toBeDefined();
  socket.destroy();
});

test('says how a client refuses to renegotiate', async () => {
  const server = await started({ tls: 'TLSv1.2', http: 'http/1.1' });
  const socket = await renegotiable(server, constants.SSL_OP_NO_RENEGOTIATION);
  expect(await server.connections[0]?.renegotiate()).toContain('no renegotiation');
  socket.destroy();
  server.meet({ tls: 'TLSv1.3', http: 'http/1.1' });
  await client(server);
  await expect.poll(() => server.connections).toHaveLength(2);
  expect(await server.connections[1]?.renegotiate()).toBe('TLS 1.3 has no renegotiation');
});
