import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Agent as Undici, request, type Dispatcher } from 'undici';
import { expect, onTestFinished, test, vi } from 'vitest';
import { pki } from '../../wire/loopback-server.ts';
import type { Answer } from './contract.ts';
import { always, bodyOf, client, get, OK, started, TRANSPORTS } from './counterpart.fixture.ts';

test.each(TRANSPORTS)('keeps requests as they came ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const connection = await client(server, plan);
  const fields = [
    ['Session-Binding-Proof', 'a'],
    ['x-other', '1'],
    ['session-binding-proof', 'b'],
  ] as const;
  const body = Buffer.alloc(100_000, 'b');
  await connection.send({ ...get, authority: 'rs.tsbt.test:443', fields });
  await connection.send({ method: 'POST', target: '/big', fields: [], body, trailers: [] });
  await connection.send({ method: 'HEAD', target: '/head', fields: [] });
  const lower = plan.http === 'h2';
  expect(server.requests.map(({ id, method, target }) => [id, method, target])).toEqual([
    [1, 'GET', '/resource?a=1'],
    [2, 'POST', '/big'],
    [3, 'HEAD', '/head'],
  ]);
  const [first, second] = server.requests;
  expect(first?.authority).toBe('rs.tsbt.test:443');
  expect(first?.fields.filter(([name]) => name.toLowerCase() !== 'host')).toEqual(
    fields.map(([name, value]) => [lower ? name.toLowerCase() : name, value]),
  );
  expect(second?.body.equals(body)).toBe(true);
  expect(second?.answer).toBe(OK);
  expect(server.connections[0]?.requests).toEqual(server.requests);
  expect(first?.connection).toBe(server.connections[0]);
});

test('answers a request that expects 100-continue', async () => {
  const server = await started();
  const connection = await client(server);
  const fields = [['Expect', '100-continue']] as const;
  const outcome = await connection.send({ ...get, method: 'POST', fields, body: Buffer.from('x') });
  expect(outcome).toMatchObject({ status: 200, informational: [100] });
});

test.each(TRANSPORTS)(
  'begins with the client’s connections ended and an empty book ($tls, $http)',
  async (plan) => {
    const server = await started(plan, () => new Promise<Answer>(() => undefined));
    const idle = await client(server, plan);
    const busy = await client(server, plan);
    const unanswered = busy.send(get, 3000);
    await server.awaitRequest(() => true, 2000);
    const halfway = connectTcp(server.port, server.host);
    await once(halfway, 'connect');
    const reset = once(halfway, 'error');
    const before = server.connections;
    // It waits for the connections' ends, not for its limit: with a clock that stands still, the limit never comes.
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    await server.begin(plan, always(OK)).finally(() => vi.useRealTimers());
    await reset;
    expect(await unanswered).toMatchObject({ type: 'failure', kind: 'closed' });
    expect(idle.open).toBe(false);
    expect(before).toHaveLength(2);
    expect([server.connections, server.requests, server.failedHandshakes]).toEqual([[], [], []]);
    expect(bodyOf(await (await client(server, plan)).send(get))).toBe('200 hello');
  },
);

test('waits for a client that does not end its side, but not for long', async () => {
  const server = await started();
  const tcp = connectTcp({ port: server.port, host: server.host, allowHalfOpen: true });
  const socket = connectTls({ socket: tcp, rejectUnauthorized: false, allowHalfOpen: true } as object);
  const broken = once(tcp, 'error');
  for (const layer of [tcp, socket]) layer.on('error', () => undefined);
  await once(socket, 'secureConnect');
  await expect.poll(() => server.connections).toHaveLength(1);
  socket.pause();
  tcp.pause();
  await server.begin({ tls: 'TLSv1.3', http: 'http/1.1' }, always(OK));
  tcp.resume();
  tcp.write('x');
  await Promise.race([broken, once(tcp, 'close')]);
});

test('meets further connections in another way, while those that stand stay', async () => {
  const server = await started({ tls: 'TLSv1.2', http: 'http/1.1' });
  const old = await client(server, { tls: 'TLSv1.2' });
  server.meet({ tls: 'TLSv1.3', http: 'h2' });
  const young = await client(server, { http: 'h2' });
  expect((await Promise.all([old.send(get), young.send(get)])).map(bodyOf)).toEqual([
    '200 hello',
    '200 hello',
  ]);
  expect(server.connections.map(({ facts }) => [facts.tls, facts.alpn])).toEqual([
    ['TLSv1.2', 'http/1.1'],
    ['TLSv1.3', 'h2'],
  ]);
  await server.connections[0]?.end();
  expect(old.open).toBe(false);
  expect(bodyOf(await young.send(get))).toBe('200 hello');
});

test('refuses connections for a while, on the same port', async () => {
  const server = await started();
  const { port } = server;
  const old = await client(server);
  await server.refuseConnections(true);
  await expect(client(server)).rejects.toMatchObject({ outcome: { kind: 'refused' } });
  expect(bodyOf(await old.send(get))).toBe('200 hello');
  await server.refuseConnections(false);
  expect(server.port).toBe(port);
  expect(bodyOf(await (await client(server)).send(get))).toBe('200 hello');
  await server.refuseConnections(true);
  await server.begin({ tls: 'TLSv1.3', http: 'http/1.1' }, always(OK));
  expect(bodyOf(await (await client(server)).send(get))).toBe('200 hello');
});

test('waits for requests, past and future', async () => {
  const server = await started();
  const connection = await client(server);
  const future = server.awaitRequest(({ target }) => target === '/2', 2000);
  await connection.send({ ...get, target: '/1' });
  expect((await server.awaitRequest(({ target }) => target === '/1', 2000))?.id).toBe(1);
  const answered = server.awaitRequest(({ answer }) => answer !== undefined, 2000);
  await connection.send({ ...get, target: '/2' });
  expect((await future)?.id).toBe(2);
  expect((await answered)?.id).toBe(1);
  expect(await server.awaitRequest(() => false, 20)).toBeUndefined();
  const never = server.awaitRequest(() => false, 60_000);
  await server.begin({ tls: 'TLSv1.3', http: 'http/1.1' }, always(OK));
  expect(await never).toBeUndefined();
});

/** A client with a pool of its own, as a client library has. */
function pooling(allowH2: boolean): Dispatcher {
  const { chain, privateKey } = pki.alice['P-256'];
  const pool = new Undici({
    allowH2,
    connections: 1,
    connect: { cert: chain, key: privateKey, ca: pki.trusted.certificate, servername: 'localhost' },
  });
  onTestFinished(() => pool.destroy());
  return pool;
}

test.each(TRANSPORTS)('leaves no stale connection in a client’s pool ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const dispatcher = pooling(plan.http === 'h2');
  const fetch = async (target: string): Promise<string> => {
    const { statusCode, body } = await request(`https://${server.host}:${server.port}${target}`, {
      dispatcher,
    });
    return `${statusCode} ${await body.text()}`;
  };
  for (const scenario of [1, 2, 3, 4, 5]) {
    expect(await fetch(`/${scenario}/1`)).toBe('200 hello');
    expect(await fetch(`/${scenario}/2`)).toBe('200 hello');
    expect(server.requests.map(({ target, connection }) => [target, connection.id])).toEqual([
      [`/${scenario}/1`, 'c1'],
      [`/${scenario}/2`, 'c1'],
    ]);
    await server.begin(plan, always(OK));
  }
});
