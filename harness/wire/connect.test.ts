import { createHash, X509Certificate } from 'node:crypto';
import { connect as dial, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { connect } from './connect.ts';
import type { Connection, ConnectOptions, Outcome, WireFailure, WireRequest } from './connection.ts';
import { resetWireCounters, wireCounters } from './counters.ts';
import { EXPORTER_LABEL } from './exporter.ts';
import { impostorOf } from './impostor.ts';
import { pki, startHttp, startTcp, startTls, type LoopbackServer } from './loopback-server.ts';

const get: WireRequest = { method: 'GET', target: '/', fields: [] };

function startEcho(): Promise<LoopbackServer> {
  return startHttp((server) => {
    server.on('request', (request, response) => {
      const peer = (request.stream?.session?.socket ?? request.socket) as {
        getPeerX509Certificate?: () => X509Certificate;
      };
      response.end(`${request.method} ${request.url} ${peer.getPeerX509Certificate?.().subject}`);
    });
  });
}

async function failureOf(options: ConnectOptions): Promise<WireFailure> {
  const error: unknown = await connect(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return (error as { outcome: WireFailure }).outcome;
}

const bodyOf = (outcome: Outcome): string =>
  outcome.type === 'response' ? outcome.body.toString() : outcome.detail;

const DERIVATIONS = [
  {},
  { context: null },
  { context: Buffer.from('x') },
  { label: 'EXPORTER-Channel-Binding' },
  { length: 64 },
];

test.each([
  ['TLSv1.3', 'http/1.1', 'P-256'],
  ['TLSv1.3', 'h2', 'Ed25519'],
  ['TLSv1.2', 'http/1.1', 'RSA'],
  ['TLSv1.2', 'h2', 'P-521'],
] as const)(
  'has the exporter values that the server has, before and after the end (%s, %s, %s)',
  async (tls, http, key) => {
    await using server = await startEcho();
    const connection = await connect(server.options({ tls, http, identity: pki.alice[key] }), 'c7');
    expect(bodyOf(await connection.send(get))).toBe('GET / CN=alice');
    const [socket] = server.sockets;
    const theirs = DERIVATIONS.map(({ label = EXPORTER_LABEL, length = 32, context = Buffer.alloc(0) }) =>
      socket?.exportKeyingMaterial(length, label, (context ?? undefined) as Buffer),
    );
    expect(DERIVATIONS.map((derivation) => connection.exporter(derivation))).toEqual(theirs);
    await connection.close();
    expect(connection.open).toBe(false);
    expect(DERIVATIONS.map((derivation) => connection.exporter(derivation))).toEqual(theirs);
    expect(connection.id).toBe('c7');
    expect(connection.facts).toMatchObject({
      tls,
      alpn: http,
      exporterCheck: 'key-log',
      extendedMasterSecret: true,
      resumed: false,
    });
  },
);

test('knows the channel identifiers of RFC 5929', async () => {
  await using server = await startEcho();
  await using connection = await connect(server.options({ tls: 'TLSv1.2' }));
  await connection.send(get);
  const der = new X509Certificate(pki.server.certificate).raw;
  expect(connection.serverEndPoint).toEqual(createHash('sha256').update(der).digest());
  expect(connection.tlsUnique).toEqual(server.sockets[0]?.getPeerFinished());
  expect(connection.clientRandom).toHaveLength(32);
  await using newer = await connect(server.options());
  expect(newer.tlsUnique).toBeUndefined();
});

test.each([
  ['TLSv1.3', true],
  ['TLSv1.2', true],
  ['TLSv1.2', false],
] as const)(
  'resumes a session of %s (tickets: %s) with a new exporter value',
  async (tls, sessionTickets) => {
    const sessions = new Map<string, Buffer>();
    await using server = await startHttp((http) => {
      http.on('request', (_request, response) => response.end('ok'));
      http.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
        sessions.set(id.toString('hex'), data);
        done();
      });
      http.on('resumeSession', (id: Buffer, done: (error: null, data: Buffer | null) => void) => {
        done(null, sessions.get(id.toString('hex')) ?? null);
      });
    });
    const options = server.options({ tls, sessionTickets });
    await using first = await connect(options);
    await first.send(get);
    const session = await first.session();
    expect(session).toBeInstanceOf(Buffer);
    await using second = await connect({ ...options, ...(session && { session }) });
    expect(await second.send(get)).toMatchObject({ status: 200 });
    expect(second.facts).toMatchObject({
      resumed: true,
      exporterCheck: 'key-log',
      extendedMasterSecret: true,
    });
    expect(second.exporter()).not.toEqual(first.exporter());
    expect(second.exporter()).toEqual(
      server.sockets[1]?.exportKeyingMaterial(32, EXPORTER_LABEL, Buffer.alloc(0)),
    );
    expect(second.serverEndPoint).toEqual(first.serverEndPoint);
    expect(second.tlsUnique).toEqual(tls === 'TLSv1.2' ? server.sockets[1]?.getFinished() : undefined);
  },
);

test('leaves the extended master secret out when told, and notices', async () => {
  await using server = await startEcho();
  await using connection = await connect(server.options({ tls: 'TLSv1.2', extendedMasterSecret: false }));
  expect(connection.facts).toMatchObject({ extendedMasterSecret: false, exporterCheck: 'key-log' });
});

/** Binds a local port again; `undefined` where somebody else was quicker, as on a busy machine now and then. */
async function bindAgain(options: ConnectOptions, localPort: number): Promise<Connection | undefined> {
  try {
    return await connect({ ...options, localPort });
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('EADDR')) return undefined;
    throw error;
  }
}

test('binds the local port that it is told, and takes a port in use for a fault of its own', async () => {
  await using server = await startEcho();
  let again: Connection | undefined;
  let localPort = 0;
  for (let attempt = 0; attempt < 5 && again === undefined; attempt++) {
    const first = await connect(server.options());
    localPort = first.facts.localPort;
    await expect(connect({ ...server.options(), localPort })).rejects.toMatchObject({
      code: expect.stringMatching(/^EADDR/),
    });
    first.reset();
    await first.close();
    again = await bindAgain(server.options(), localPort);
  }
  expect(again?.facts.localPort).toBe(localPort);
  await again?.[Symbol.asyncDispose]();
});

test.each(['http/1.1', 'h2'] as const)('sees a certificate refused, late on TLS 1.3 (%s)', async (http) => {
  await using server = await startEcho();
  const refused = { type: 'failure', kind: 'tls-alert' };
  await using none = await connect(server.options({ http, identity: null }));
  expect(await none.send(get)).toMatchObject({ ...refused, alert: 'certificate_required' });
  expect(none.open).toBe(false);
  await using forged = await connect(
    server.options({ http, identity: impostorOf(pki.alice['P-256'], pki.mallory) }),
  );
  expect(await forged.send(get)).toMatchObject({ ...refused, alert: 'decrypt_error' });
  expect(await failureOf(server.options({ http, tls: 'TLSv1.2', identity: null }))).toMatchObject({
    ...refused,
    alert: 'handshake_failure',
  });
});

test('answers pipelined requests on one connection', async () => {
  await using server = await startEcho();
  await using connection = await connect(server.options());
  const outcomes = await Promise.all(['/1', '/2', '/3'].map((target) => connection.send({ ...get, target })));
  expect(outcomes.map(bodyOf)).toEqual(['GET /1 CN=alice', 'GET /2 CN=alice', 'GET /3 CN=alice']);
  expect(server.sockets).toHaveLength(1);
  expect(bodyOf(await connection.sendOctets(Buffer.from('PUT /raw HTTP/1.1\r\nhost: x\r\n\r\n')))).toBe(
    'PUT /raw CN=alice',
  );
  await expect(connection.abandon(get)).rejects.toThrow('HTTP/2 only');
});

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
const HOSTILE: readonly (readonly [string, string, (socket: Socket) => void])[] = [
  ['garbage', 'garbage', (socket) => socket.write('\x00\x01 not HTTP\r\n')],
  ['an end in mid response', 'closed', (socket) => socket.end(`${HEAD}abc`)],
  ['an end without response', 'closed', (socket) => socket.end()],
  ['no response', 'timeout', () => undefined],
  ['half a response and no more', 'timeout', (socket) => socket.write(`${HEAD}abc`)],
  ['a header without end', 'endless-response', (socket) => flood(socket, 'HTTP/1.1 200 OK\r\nA: ')],
  ['a body without end', 'endless-response', (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n')],
];

function flood(socket: Socket, head: string): void {
  const more = Buffer.alloc(65_536, 'a');
  const write = (): void => {
    while (!socket.destroyed && socket.write(more));
  };
  socket.on('drain', write);
  socket.write(head);
  write();
}

test.each(HOSTILE)('survives %s (%s)', async (_what, kind, answer) => {
  await using server = await startTls((socket) => socket.once('data', () => answer(socket)));
  await using connection = await connect(server.options());
  expect(await connection.send(get, kind === 'timeout' ? 80 : 5000)).toMatchObject({ type: 'failure', kind });
  expect(connection.open).toBe(false);
  expect(connection.exporter()).toHaveLength(32);
});

test('tells a TCP reset in mid response from an end', async () => {
  const tcp: Socket[] = [];
  await using inner = await startTls((socket) => {
    socket.once('data', () =>
      socket.write(`${HEAD}abc`, () => setImmediate(() => tcp[0]?.resetAndDestroy())),
    );
  });
  // Through a relay, since a reset is a matter of the TCP socket below TLS.
  await using relay = await startTcp((socket) => {
    tcp.push(socket);
    const onward = dial(inner.port, '127.0.0.1');
    onward.on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await using connection = await connect(relay.options());
  expect(await connection.send(get, 2000)).toMatchObject({ type: 'failure', kind: 'reset' });
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('says why no connection came about (%s)', async (tls) => {
  await using silent = await startTcp(() => undefined);
  await using plain = await startTcp((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await using closing = await startTcp((socket) => socket.end());
  await using resetting = await startTcp((socket) => socket.once('data', () => socket.resetAndDestroy()));
  await using echo = await startEcho();
  expect(await failureOf(silent.options({ tls, timeoutMs: 60 }))).toMatchObject({ kind: 'timeout' });
  expect(await failureOf(plain.options({ tls }))).toMatchObject({ kind: 'tls-handshake' });
  expect(await failureOf(closing.options({ tls }))).toMatchObject({ kind: 'closed' });
  expect(await failureOf(resetting.options({ tls }))).toMatchObject({ kind: 'reset' });
  expect(await failureOf(echo.options({ tls, serverAuthorities: pki.stranger.certificate }))).toMatchObject({
    kind: 'tls-handshake',
  });
  expect(await failureOf(echo.options({ tls, servername: 'other.test' }))).toMatchObject({
    kind: 'tls-handshake',
  });
  expect(await failureOf(closing.options({ tls, port: 1 }))).toMatchObject({ kind: 'refused' });
  await using anyone = await connect(echo.options({ tls, servername: null, serverAuthorities: null }));
  expect(anyone.open).toBe(true);
});

test('sees TLS 1.0 refused', async () => {
  await using server = await startEcho();
  expect(await failureOf(server.options({ tls: 'TLSv1' }))).toMatchObject({
    kind: 'tls-alert',
    alert: 'protocol_version',
  });
});

test('resets the connection at once, whatever is under way, and harms no other', async () => {
  await using server = await startEcho();
  for (const http of ['http/1.1', 'h2', 'http/1.1', 'h2'] as const) {
    const connection = await connect(server.options({ http }));
    const outcome = connection.send({ ...get, method: 'POST', body: Buffer.alloc(100_000) });
    connection.reset();
    expect(connection.open).toBe(false);
    expect(await outcome).toMatchObject({ type: 'failure', kind: 'closed' });
    await connection.close();
  }
  await using after = await connect(server.options());
  expect(await after.send(get)).toMatchObject({ status: 200 });
});

test('counts handshakes and requests', async () => {
  await using server = await startEcho();
  resetWireCounters();
  await using connection = await connect(server.options());
  await connection.send(get);
  await connection.send(get);
  expect(wireCounters()).toEqual({ handshakes: 1, resumptions: 0, requests: 2 });
});
