import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { expect, test, vi } from 'vitest';
import { connect } from './connect.ts';
import { CannotSend, type Field, type Outcome, type WireRequest } from './connection.ts';
import { startHttp, startTls, type LoopbackServer } from './loopback-server.ts';

const request = (target: string, fields: readonly Field[] = []): WireRequest => ({
  method: 'GET',
  target,
  fields,
});

const ANSWERS: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
  '/reset': (stream) => stream.close(2),
  '/half': (stream) => {
    stream.respond({ ':status': 200 });
    stream.write('abc', () => stream.destroy(new Error('on purpose')));
  },
  '/goaway': (stream) => stream.session?.goaway(11),
  '/hang': () => undefined,
  '/body': (stream) =>
    stream.resume().on('end', () => stream.respond({ ':status': 204 }, { endStream: true })),
  '/endless': (stream) => {
    stream.respond({ ':status': 200 });
    const more = Buffer.alloc(65_536);
    const write = (): void => {
      while (!stream.destroyed && stream.write(more));
    };
    stream.on('drain', write);
    write();
  },
  '/hints': (stream) => {
    stream.additionalHeaders({ ':status': 103 });
    stream.respond({ ':status': 401, 'www-authenticate': ['DPoP', 'Bearer'] });
    stream.end();
  },
};

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** RFC 9113 §6 */
const [HEADERS, RST_STREAM] = [1, 3];

/** The types of the HTTP/2 frames in what a client wrote at once. */
function frameTypes(octets: Buffer): readonly number[] {
  const types: number[] = [];
  let at = octets.toString('latin1', 0, PREFACE.length) === PREFACE ? PREFACE.length : 0;
  for (; at + 9 <= octets.length; at += 9 + octets.readUIntBE(at, 3)) types.push(octets.readUInt8(at + 3));
  return types;
}

async function start(seen: string[] = []): Promise<LoopbackServer> {
  return startHttp((server) => {
    server.on(
      'stream',
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: unknown) => {
        const path = String(headers[':path']);
        seen.push(`${String(headers[':method'])} ${path}`);
        stream.on('error', () => seen.push(`error ${path}`));
        stream.on('aborted', () => seen.push(`aborted ${path}`));
        stream.on('trailers', (trailers: IncomingHttpHeaders) =>
          seen.push(`trailers ${JSON.stringify(trailers)}`),
        );
        const answer = ANSWERS[path];
        if (answer !== undefined) {
          answer(stream);
          return;
        }
        stream.respond({ ':status': 200 });
        stream.end(JSON.stringify(raw));
      },
    );
  });
}

const rawOf = (outcome: Outcome): unknown =>
  outcome.type === 'response' ? JSON.parse(outcome.body.toString()) : outcome;

test('runs requests in parallel streams and keeps duplicated fields in order', async () => {
  await using server = await start();
  await using connection = await connect(server.options({ http: 'h2' }));
  const fields: readonly Field[] = [
    ['authorization', 'a'],
    ['session-binding-proof', '1'],
    ['Authorization', 'b'],
    ['session-binding-proof', '2'],
  ];
  const slow = connection.send(request('/hang'), 200);
  const outcomes = await Promise.all(
    ['/1', '/2', '/3'].map((target) => connection.send(request(target, fields))),
  );
  expect(outcomes.map((outcome) => outcome.type)).toEqual(['response', 'response', 'response']);
  const pseudo = [
    ':method',
    'GET',
    ':scheme',
    'https',
    ':authority',
    `127.0.0.1:${server.port}`,
    ':path',
    '/3',
  ];
  const sent = fields.flatMap(([name, value]) => [name.toLowerCase(), value]);
  expect(rawOf(outcomes[2] as Outcome)).toEqual([...pseudo, ...sent]);
  expect(await slow).toMatchObject({ type: 'failure', kind: 'timeout' });
  expect(connection.open).toBe(true);
  expect(server.sockets).toHaveLength(1);
});

test('sends trailers, keeps response fields apart and notes informational responses', async () => {
  const seen: string[] = [];
  await using server = await start(seen);
  await using connection = await connect(server.options({ http: 'h2' }));
  await connection.send({
    ...request('/body'),
    method: 'POST',
    body: Buffer.from('hi'),
    trailers: [['session-binding-proof', 'late']],
  });
  expect(seen).toContain('trailers {"session-binding-proof":"late"}');
  const outcome = await connection.send(request('/hints'));
  expect(outcome).toMatchObject({ status: 401, informational: [103] });
  expect(
    outcome.type === 'response' && outcome.fields.filter(([name]) => name === 'www-authenticate'),
  ).toEqual([
    ['www-authenticate', 'DPoP'],
    ['www-authenticate', 'Bearer'],
  ]);
});

test('takes one stream’s reset or flood not to concern the others', async () => {
  await using server = await start();
  await using connection = await connect(server.options({ http: 'h2' }));
  expect(await connection.send(request('/reset'))).toMatchObject({
    kind: 'stream-reset',
    detail: expect.stringContaining('INTERNAL_ERROR'),
  });
  expect(await connection.send(request('/half'))).toMatchObject({ kind: 'stream-reset' });
  expect(await connection.send(request('/endless'))).toMatchObject({ kind: 'endless-response' });
  expect(await connection.send(request('/fine'))).toMatchObject({ status: 200 });
});

test('is not open after GOAWAY', async () => {
  await using server = await start();
  await using connection = await connect(server.options({ http: 'h2' }));
  const refused = {
    type: 'failure',
    kind: 'stream-reset',
    detail: expect.stringContaining('ENHANCE_YOUR_CALM'),
  };
  expect(await connection.send(request('/goaway'))).toMatchObject(refused);
  expect(connection.open).toBe(false);
  expect(await connection.send(request('/fine'))).toMatchObject(refused);
});

test('abandons a stream after its HEADERS have gone out', async () => {
  const seen: string[] = [];
  await using server = await start(seen);
  await using connection = await connect(server.options({ http: 'h2' }));
  await connection.abandon({ ...request('/hang'), method: 'POST' });
  expect(await connection.send(request('/fine'))).toMatchObject({ status: 200 });
  expect(seen).toEqual(['POST /hang', 'aborted /hang', 'GET /fine']);
});

test('abandons a stream in one write where the connection gathers writes, and goes on', async () => {
  const seen: string[] = [];
  await using server = await start(seen);
  await using connection = await connect(server.options({ http: 'h2', gathersWrites: true }));
  expect(await connection.send(request('/fine'))).toMatchObject({ status: 200 });
  const [socket] = server.sockets;
  await connection.abandon(request('/hang'));
  expect(await connection.send(request('/fine'))).toMatchObject({ status: 200 });
  expect(socket?.destroyed).toBe(false);
  expect(seen.filter((line) => line.startsWith('GET'))).toEqual(['GET /fine', 'GET /hang', 'GET /fine']);
});

test('a gathered HEADERS and its RST_STREAM are the same octets to the server', async () => {
  const chunks: Buffer[] = [];
  await using server = await startTls(
    (socket) => {
      socket.on('data', (octets: Buffer) => chunks.push(octets));
    },
    { ALPNProtocols: ['h2'] },
  );
  await using connection = await connect(server.options({ http: 'h2', gathersWrites: true }));
  await connection.abandon(request('/hang'));
  await vi.waitFor(() => {
    expect(chunks.map(frameTypes)).toContainEqual(expect.arrayContaining([HEADERS, RST_STREAM]));
  });
});

test.each<Field>([
  ['bad name', 'x'],
  ['connection', 'close'],
  ['', 'x'],
  ['x', 'Ж'],
  ['x', 'a\0b'],
])('says that it cannot send %j: %j', async (name, value) => {
  await using server = await start();
  await using connection = await connect(server.options({ http: 'h2' }));
  await expect(connection.send(request('/', [[name, value]]))).rejects.toThrowError(CannotSend);
  await expect(connection.sendOctets(Buffer.from('GET'))).rejects.toThrowError(CannotSend);
  expect(await connection.send(request('/fine'))).toMatchObject({ status: 200 });
});

test('sends odd values as they are', async () => {
  await using server = await start();
  await using connection = await connect(server.options({ http: 'h2' }));
  expect(rawOf(await connection.send(request('/', [['x', 'caf\xe9, "a" = b']])))).toContain(
    'caf\xe9, "a" = b',
  );
});

test('notices a server that does not agree to HTTP/2', async () => {
  await using server = await startTls(() => undefined);
  await expect(connect(server.options({ http: 'h2' }))).rejects.toMatchObject({
    outcome: { kind: 'tls-alert', alert: 'no_application_protocol' },
  });
});
