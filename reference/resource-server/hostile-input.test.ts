import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, credentials, startBench } from '../test-bench/bench.ts';
import { createServer } from './server.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** What came back for raw octets, until there was a whole header section or the connection ended. */
async function answerTo(octets: string): Promise<string> {
  await using line = await bench.connect('http/1.1');
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = '';
  line.socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    if (received.includes('\r\n\r\n')) resolve(received);
  });
  line.socket.once('close', () => resolve(received));
  line.socket.write(Buffer.from(octets, 'latin1'));
  return await promise;
}

const HOST = 'Host: localhost\r\n';

test.each([
  ['garbage', '\x00\x01\x02\r\n\r\n', 400],
  ['an unknown method', `FOO /resource HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['no Host', 'GET /resource HTTP/1.1\r\n\r\n', 400],
  ['HTTP/1.0', 'GET /resource HTTP/1.0\r\n\r\n', 401],
  ['an absolute target', `GET https://localhost/resource HTTP/1.1\r\n${HOST}\r\n`, 401],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['an upgrade', `GET /resource HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 401],
  [
    'two lengths',
    `POST /resource HTTP/1.1\r\n${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    400,
  ],
  ['a folded field', `GET /resource HTTP/1.1\r\n${HOST}Session-Binding-Proof: a\r\n b\r\n\r\n`, 400],
  ['a NUL in a field', `GET /resource HTTP/1.1\r\n${HOST}Session-Binding-Proof: a\0b\r\n\r\n`, 400],
  [
    'a proof of 64 KiB',
    `GET /resource HTTP/1.1\r\n${HOST}Session-Binding-Proof: ${'a'.repeat(65_536)}\r\n\r\n`,
    401,
  ],
  [
    'a million dots',
    `GET /resource HTTP/1.1\r\n${HOST}Session-Binding-Proof: ${'.'.repeat(1e6)}\r\n\r\n`,
    431,
  ],
  [
    'a body announced',
    `POST /resource HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
    401,
  ],
])('%s gets a clean answer', async (_what, octets, status) => {
  expect((await answerTo(octets)).slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
});

test('a proof in the trailer section is no proof', async () => {
  const token = await bench.mint();
  const head = `POST /resource HTTP/1.1\r\n${HOST}Authorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  expect(await answerTo(`${head}0\r\nSession-Binding-Proof: x\r\n\r\n`)).toContain('use_session_binding');
});

test('100 Continue goes to requests that are admitted, and to no other', async () => {
  await using line = await bench.connect('http/1.1');
  const [authorization, proof] = credentials(await bench.mint(), line, bench.pki.alice['P-256']);
  const fields = `${HOST}${authorization?.join(': ')}\r\n${proof?.join(': ')}\r\n`;
  line.socket.write(`POST /resource HTTP/1.1\r\n${fields}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
  const [first] = (await once(line.socket, 'data')) as [Buffer];
  expect(first.toString()).toMatch(/^HTTP\/1\.1 100 Continue\r\n/);
});

test('pipelined requests are judged one by one, in order', async () => {
  await using line = await bench.connect('http/1.1');
  const [authorization, proof] = credentials(await bench.mint(), line, bench.pki.alice['P-256']);
  const head = `GET /resource HTTP/1.1\r\n${HOST}${authorization?.join(': ')}\r\n`;
  const right = `${head}${proof?.join(': ')}\r\n\r\n`;
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = '';
  line.socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
    if (received.match(/HTTP\/1\.1 \d+/g)?.length === 3) resolve(received);
  });
  line.socket.write(`${right}${head}\r\n${right}`);
  expect((await promise).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 401', 'HTTP/1.1 200']);
});

test.each(['http/1.1', 'h2'] as const)(
  'over %s a large body of a refused request does no harm',
  async (http) => {
    await using line = await bench.connect(http);
    expect(await line.send({ method: 'POST', body: 'x'.repeat(500_000) })).toMatchObject({ status: 401 });
    expect(await line.send({})).toMatchObject({ status: 401 });
  },
);

test('streams that are reset at once do not hurt the others', async () => {
  await using line = await bench.connect('http/1.1', { tls: { ALPNProtocols: ['h2'] } });
  const session = http2Connect('https://localhost', { createConnection: () => line.socket });
  const authorization = `Bearer ${await bench.mint()}`;
  for (let index = 0; index < 50; index += 1) {
    const stream = session.request({ ':path': '/resource', authorization });
    stream.on('error', () => {});
    stream.close(8);
  }
  const last = session.request({ ':path': '/resource' });
  const [fields] = (await once(last, 'response')) as [Record<string, unknown>];
  expect(fields[':status']).toBe(401);
  session.destroy();
});

test('a client that closes right after its request does not disturb the server', async () => {
  for (const end of ['end', 'destroy'] as const) {
    await using line = await bench.connect('http/1.1');
    const closed = once(line.socket, 'close');
    line.socket.write(`GET /resource HTTP/1.1\r\n${HOST}Authorization: Bearer ${await bench.mint()}\r\n\r\n`);
    line.socket[end]();
    await closed;
  }
  await using line = await bench.connect('http/1.1');
  expect(await line.send({})).toMatchObject({ status: 401 });
});

test('TLS 1.2 without extended master secret, and TLS 1.1, come to no connection', async () => {
  for (const tls of [
    { maxVersion: 'TLSv1.2', secureOptions: 1 },
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
  ] as const) {
    await expect(bench.connect('http/1.1', { tls })).rejects.toThrow(/disconnected|alert|protocol/i);
  }
});

test('renegotiation ends in an error, never in other keys', async () => {
  await using line = await bench.connect('http/1.1', { tls: { maxVersion: 'TLSv1.2' } });
  await line.send({});
  const { promise, resolve } = Promise.withResolvers<string>();
  line.socket.once('error', ({ message }) => resolve(message));
  line.socket.renegotiate({}, () => {});
  expect(await promise).toMatch(/no renegotiation/);
});

test('an HTTP/2 connection that says nothing does not stay for ever', () => {
  expect(createServer({ tls: {}, listener: () => {} })).toHaveProperty('timeout', 120_000);
});
