import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { connect } from '../../wire/connect.ts';
import { impostorOf } from '../../wire/impostor.ts';
import { pki } from '../../wire/loopback-server.ts';
import { loadOpenSslClient } from '../../wire/openssl-client.ts';
import type { CounterpartServer, TransportPlan } from './contract.ts';
import { always, client, get, OK, optionsFor, started, TRANSPORTS } from './counterpart.fixture.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

function dial(server: CounterpartServer): Socket {
  const tcp = connectTcp(server.port, server.host);
  tcp.on('error', () => undefined);
  return tcp;
}

async function dialTls(server: CounterpartServer, protocol: string): Promise<TLSSocket> {
  const socket = connectTls({
    port: server.port,
    host: server.host,
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

async function serves(server: CounterpartServer, plan: TransportPlan): Promise<void> {
  const connection = await client(server, { tls: plan.tls, http: plan.http });
  expect(await connection.send(get)).toMatchObject({ status: 200 });
  expect(server.faults).toEqual([]);
}

/** An HTTP/2 frame (RFC 9113 §4.1). */
function frame(type: number, flags: number, stream: number, payload: string): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length / 2, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, Buffer.from(payload, 'hex')]);
}

test.each(VERSIONS)('says with which alert a client refuses the server (%s)', async (tls) => {
  const server = await started({ tls, http: 'http/1.1' });
  const openssl = await loadOpenSslClient();
  if ('unavailable' in openssl) throw new Error(openssl.unavailable);
  const stranger = openssl.connect(optionsFor(server, { tls, serverAuthorities: pki.stranger.certificate }));
  await expect(stranger).rejects.toThrow('certificate verify failed');
  await expect.poll(() => server.failedHandshakes).toHaveLength(1);
  expect(server.failedHandshakes[0]?.reason).toBe('the client sent the TLS alert unknown_ca');
  const misnamed = openssl.connect(optionsFor(server, { tls, servername: 'other.test' }));
  await expect(misnamed).rejects.toThrow('certificate verify failed');
  await expect.poll(() => server.failedHandshakes).toHaveLength(2);
  expect(server.failedHandshakes[1]?.reason).toBe('the client sent the TLS alert bad_certificate');
  expect(server.connections).toEqual([]);
});

test.each(VERSIONS)('sees a client of Node refuse the server without a request (%s)', async (tls) => {
  const server = await started({ tls, http: 'http/1.1' });
  const refusing = connect(optionsFor(server, { tls, serverAuthorities: pki.stranger.certificate }));
  await expect(refusing).rejects.toThrow('the TLS handshake failed');
  const reasons = (): readonly (string | undefined)[] => [
    ...server.failedHandshakes.map(({ reason }) => reason),
    ...server.connections.map(({ ending }) => ending),
  ];
  await expect
    .poll(reasons)
    .toEqual([expect.stringMatching(/^the client (ended|reset)|^the connection is closed/)]);
  expect(server.requests).toEqual([]);
});

test.each(VERSIONS)('refuses a client that does not hold its certificate’s key (%s)', async (tls) => {
  const server = await started({ tls, http: 'http/1.1' });
  const identity = impostorOf(pki.alice['P-256'], pki.mallory);
  await connect(optionsFor(server, { tls, identity })).then(
    (connection) => connection.close(),
    () => undefined,
  );
  await expect.poll(() => server.failedHandshakes).toHaveLength(1);
  expect(server.failedHandshakes[0]?.reason).toContain('signature failure');
});

test.each(VERSIONS)('refuses another version and another protocol than planned (%s)', async (tls) => {
  const plan: TransportPlan = { tls, http: 'h2' };
  const server = await started(plan);
  await expect(connect(optionsFor(server, { tls }))).rejects.toMatchObject({
    outcome: { alert: 'no_application_protocol' },
  });
  const other = tls === 'TLSv1.2' ? 'TLSv1.3' : 'TLSv1.2';
  await expect(connect(optionsFor(server, { tls: other, http: 'h2' }))).rejects.toMatchObject({
    outcome: { alert: 'protocol_version' },
  });
  expect(server.failedHandshakes.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('no application protocol'),
    expect.stringContaining('unsupported protocol'),
  ]);
  await serves(server, plan);
});

test.each(TRANSPORTS)('survives what is not TLS, half handshakes and resets ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const silent = dial(server);
  const plain = dial(server);
  plain.write('GET / HTTP/1.1\r\n\r\n');
  const resetting = dial(server);
  resetting.write(Buffer.from('160301020001000200', 'hex'), () => resetting.resetAndDestroy());
  const ending = dial(server);
  ending.end(Buffer.from('1603010200010001fc0303', 'hex'));
  await Promise.all([once(plain, 'close'), once(resetting, 'close'), once(ending, 'close')]);
  await expect.poll(() => server.failedHandshakes).toHaveLength(3);
  await serves(server, plan);
  silent.destroy();
});

test.each(TRANSPORTS)('survives what is not HTTP, and half requests ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const garbage = await dialTls(server, plan.http);
  garbage.write('\0\x01\x02 not HTTP at all, but long enough to be seen as such\r\n\r\n');
  garbage.resume();
  await once(garbage, 'close');
  const half = await dialTls(server, plan.http);
  half.write(
    plan.http === 'h2' ? 'PRI * HTTP/2.0\r\n\r\nSM' : 'POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc',
  );
  half.end();
  half.resume();
  await once(half, 'close');
  await expect.poll(() => server.connections.map(({ open }) => open)).toEqual([false, false]);
  expect(server.connections[0]?.ending).toMatch(/not HTTP\/1.1|HTTP\/2 connection broke/);
  expect(server.requests.every(({ answer }) => answer === undefined)).toBe(true);
  await serves(server, plan);
});

test('asks nobody about a stream that the client has reset', async () => {
  const plan: TransportPlan = { tls: 'TLSv1.3', http: 'h2' };
  const server = await started(plan);
  const socket = await dialTls(server, 'h2');
  // :method POST, :scheme https, :path / and :authority a, in HPACK; no END_STREAM.
  const headers = frame(0x01, 0x04, 1, '838784410161');
  const cancel = frame(0x03, 0x00, 1, '00000008');
  const first = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.concat([first, frame(0x04, 0, 0, ''), headers, frame(0x00, 0, 1, '6162')]));
  const request = await server.awaitRequest(({ body }) => body.length >= 0, 2000);
  socket.write(cancel);
  await serves(server, plan);
  socket.destroy();
  expect(server.requests.map(({ method, answer }) => [method, answer?.kind])).toEqual([
    ['POST', undefined],
    ['GET', 'response'],
  ]);
  expect(request?.body.toString()).toBe('ab');
});

test('drops connections beyond its bound', async () => {
  const plan: TransportPlan = { tls: 'TLSv1.3', http: 'http/1.1' };
  const server = await started(plan);
  const flood = Array.from({ length: 300 }, () => dial(server));
  const dropped = flood.map((tcp) => once(tcp, 'close'));
  await Promise.race(dropped);
  for (const tcp of flood) tcp.destroy();
  await Promise.all(dropped);
  await server.begin(plan, always(OK));
  expect(server.failedHandshakes).toEqual([]);
  await serves(server, plan);
});
