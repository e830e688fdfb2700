import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import type { Answer, TransportPlan } from './contract.ts';
import { FLAG, FRAME, fieldBlock, frame } from '../../wire/http2-frames.ts';
import { always, bodyOf, client, get, OK, started, TRANSPORTS } from './counterpart.fixture.ts';

const ODD = {
  kind: 'response',
  status: 401,
  fields: [
    ['WWW-Authenticate', 'Bearer error="use_session_binding"'],
    ['WWW-Authenticate', 'DPoP'],
    ['Location', 'https://a.test'],
    ['Location', 'https://b.test'],
  ],
  body: 'é',
} as const satisfies Answer;

for (const plan of TRANSPORTS) {
  test(`sends fields as told (${plan.tls}, ${plan.http})`, async () => {
    const server = await started(plan, always(ODD));
    const connection = await client(server, plan);
    const outcome = await connection.send(get);
    if (outcome.type !== 'response') throw new Error(outcome.detail);
    const fields = outcome.fields.map(([name, value]) => [name.toLowerCase(), value]);
    expect(fields.filter(([name]) => name !== 'connection')).toEqual([
      ...ODD.fields.map(([name, value]) => [name.toLowerCase(), value]),
      ['content-length', '2'],
    ]);
    expect(outcome.body.toString()).toBe('é');
    expect(server.connections[0]?.open).toBe(true);
    server.answerWith(always({ ...OK, status: 204 }));
    expect(await connection.send(get)).toMatchObject({ status: 204 });
    server.answerWith(always(OK));
    expect(bodyOf(await connection.send(get))).toBe('200 hello');
  });

  test(`refuses a stream where there are streams (${plan.tls}, ${plan.http})`, async () => {
    const server = await started(plan, always({ kind: 'refuse-stream' }));
    const connection = await client(server, plan);
    const kind = plan.http === 'h2' ? 'stream-reset' : 'closed';
    expect(await connection.send(get)).toMatchObject({ type: 'failure', kind });
    server.answerWith(always(OK));
    const next = plan.http === 'h2' ? connection : await client(server, plan);
    expect(bodyOf(await next.send(get))).toBe('200 hello');
  });
}

/** Answers after which the connection ends, with what becomes of the request on HTTP/1.1 and on HTTP/2. */
const LAST: readonly (readonly [string, Answer, object, object])[] = [
  ['a last response', { ...OK, closes: true }, { status: 200 }, { status: 200 }],
  ['a cut and an end', { kind: 'cut', status: 200, how: 'end' }, { kind: 'closed' }, { kind: 'closed' }],
  ['a cut and a reset', { kind: 'cut', status: 200, how: 'reset' }, { kind: 'reset' }, { type: 'failure' }],
  ['an end', { kind: 'end' }, { kind: 'closed' }, { kind: 'closed' }],
  ['a reset', { kind: 'reset' }, { kind: 'reset' }, { type: 'failure' }],
  ['GOAWAY', { kind: 'go-away' }, { kind: 'closed' }, { kind: 'stream-reset' }],
];

for (const plan of TRANSPORTS)
  test.each(LAST)(`ends with %s (${plan.tls}, ${plan.http})`, async (_what, answer, http1, http2) => {
    const server = await started(plan, always(answer));
    const connection = await client(server, plan);
    expect(await connection.send(get, 2000)).toMatchObject(plan.http === 'h2' ? http2 : http1);
    expect(server.connections[0]?.open).toBe(false);
    server.answerWith(always(OK));
    expect(bodyOf(await (await client(server, plan)).send(get))).toBe('200 hello');
    expect(server.requests[0]?.answer).toBe(answer);
    expect(server.faults).toEqual([]);
  });

/** Lengths at which HPACK writes a length with another number of octets. */
const LONG = [126, 127, 254, 255].map((length) => ['x', 'y'.repeat(length)] as const);

/** The same response on HTTP/1.1 and, as HEADERS and DATA (RFC 9113 §6.1, §6.2), on HTTP/2. */
const WRITTEN = {
  'http/1.1': () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  h2: (stream: number) =>
    Buffer.concat([
      frame(FRAME.headers, FLAG.endHeaders, stream, fieldBlock([[':status', '200'], ...LONG])),
      frame(FRAME.data, FLAG.endStream, stream, Buffer.from('hello')),
    ]),
} as const;

for (const plan of TRANSPORTS) {
  const inPieces = function* inPieces(stream: number): Generator<Buffer> {
    const octets = WRITTEN[plan.http](stream);
    for (let at = 0; at < octets.length; at += 16) yield octets.subarray(at, at + 16);
  };

  test(`writes octets as told, piece by piece, and then ends (${plan.tls}, ${plan.http})`, async () => {
    const answer = { kind: 'octets', what: 'a response', pieces: inPieces, everyMs: 1 } as const;
    const server = await started(plan, always(answer));
    const connection = await client(server, plan);
    expect(bodyOf(await connection.send(get, 2000))).toBe('200 hello');
    await expect.poll(() => server.connections[0]?.ending).toBeDefined();
    expect(server.requests[0]?.answer).toBe(answer);
    expect(server.faults).toEqual([]);
  });

  test(`stops writing when the client is gone (${plan.tls}, ${plan.http})`, async () => {
    let stopped = false;
    const endless = function* endless(): Generator<Buffer> {
      try {
        for (;;) yield Buffer.of(0xff);
      } finally {
        stopped = true;
      }
    };
    const server = await started(
      plan,
      always({ kind: 'octets', what: 'noise', pieces: endless, everyMs: 1 }),
    );
    const connection = await client(server, plan);
    expect(await connection.send(get, 100)).toMatchObject({ type: 'failure' });
    await connection.close();
    await expect.poll(() => stopped).toBe(true);
  });

  test(`lets a body stall before it cuts it off (${plan.tls}, ${plan.http})`, async () => {
    const server = await started(plan, always({ kind: 'cut', status: 200, how: 'end', stallMs: 300 }));
    const connection = await client(server, plan);
    const begun = performance.now();
    expect(await connection.send(get, 2000)).toMatchObject({ kind: 'closed' });
    expect(performance.now() - begun).toBeGreaterThan(290);
  });
}

test.each(TRANSPORTS)('resets with a TCP reset ($tls, $http)', async (plan) => {
  const server = await started(plan);
  const tcp = connectTcp(server.port, server.host);
  const socket = connectTls({ socket: tcp, rejectUnauthorized: false, ALPNProtocols: [plan.http] });
  const failed = once(tcp, 'error');
  const broken = once(socket, 'error');
  await once(socket, 'secureConnect');
  await expect.poll(() => server.connections).toHaveLength(1);
  server.connections[0]?.reset();
  const errors: readonly unknown[] = await Promise.race([failed, broken]);
  expect(errors[0]).toMatchObject({ code: 'ECONNRESET' });
  expect(server.connections[0]).toMatchObject({
    open: false,
    ending: 'the counterpart reset the connection',
  });
});

test('tells a client by GOAWAY which streams it may try elsewhere, and serves the others', async () => {
  const plan: TransportPlan = { tls: 'TLSv1.3', http: 'h2' };
  const gate = Promise.withResolvers<void>();
  const server = await started(plan, async ({ target }) => {
    if (target === '/slow') await gate.promise;
    return target === '/away' ? { kind: 'go-away' } : OK;
  });
  const connection = await client(server, plan);
  expect(bodyOf(await connection.send(get))).toBe('200 hello');
  const slow = connection.send({ ...get, target: '/slow' });
  const away = connection.send({ ...get, target: '/away' });
  expect(await away).toMatchObject({ kind: 'stream-reset' });
  expect(server.connections[0]?.open).toBe(false);
  gate.resolve();
  expect(bodyOf(await slow)).toBe('200 hello');
});

test('announces as many concurrent streams as planned, and runs them in parallel', async () => {
  const plan: TransportPlan = { tls: 'TLSv1.3', http: 'h2', maxConcurrentStreams: 2 };
  let running = 0;
  let most = 0;
  const server = await started(plan, async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return OK;
  });
  const connection = await client(server, plan);
  expect(bodyOf(await connection.send(get))).toBe('200 hello');
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => connection.send(get)));
  expect(outcomes.map(bodyOf)).toEqual(Array.from({ length: 6 }, () => '200 hello'));
  expect(most).toBe(2);
});

test('notes a script that fails as a fault of its own', async () => {
  const server = await started(undefined, () => {
    throw new Error('oh');
  });
  const connection = await client(server);
  expect(bodyOf(await connection.send(get))).toContain('500');
  server.answerWith(always({ ...OK, fields: [['bad name', 'x']] }));
  expect(await connection.send(get)).toMatchObject({ type: 'failure' });
  expect(server.faults).toEqual([
    'the script failed: oh',
    expect.stringContaining('this answer cannot be sent') as string,
  ]);
});
