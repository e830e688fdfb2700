import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTcp, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Agent, type AgentOutcome, type AgentRequest } from './agent.ts';

const get: AgentRequest = { method: 'GET', target: '/resource', fields: [] };
const post: AgentRequest = { method: 'POST', target: '/', fields: [], body: Buffer.from('x') };

async function agentFor(server: TcpServer): Promise<Agent> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new Agent({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await agent[Symbol.asyncDispose]();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return agent;
}

function serving(answer: (request: IncomingMessage, response: ServerResponse) => void): Server {
  return createHttp({ keepAliveTimeout: 60_000 }, answer);
}

const bodyOf = (outcome: AgentOutcome): string =>
  outcome.type === 'response' ? outcome.body.toString() : outcome.kind;

test('sends fields as told, and keeps its connection', async () => {
  const agent = await agentFor(
    serving((request, response) => response.end(JSON.stringify([request.url, request.rawHeaders]))),
  );
  const fields = [
    ['Session-Binding-Proof', 'a'],
    ['SESSION-BINDING-PROOF', 'b'],
    ['Host', 'rs.tsbt.test'],
  ] as const;
  const first = await agent.send({ ...get, fields });
  expect(JSON.parse(bodyOf(first))).toEqual(['/resource', fields.flat()]);
  const second = await agent.send(get);
  expect(JSON.parse(bodyOf(second))).toEqual(['/resource', ['Host', expect.stringContaining('127.0.0.1:')]]);
  expect([first, second]).toMatchObject([
    { connection: 1, attempts: 1 },
    { connection: 1, attempts: 1 },
  ]);
  await agent.forget();
  expect(await agent.send(get)).toMatchObject({ status: 200, connection: 2 });
});

test('sends in parallel on connections of their own', async () => {
  const waiting: ServerResponse[] = [];
  const agent = await agentFor(
    serving((_request, response) => {
      if (waiting.push(response) === 3) for (const one of waiting) one.end('ok');
    }),
  );
  const outcomes = await Promise.all([agent.send(get), agent.send(post), agent.send(get)]);
  expect(outcomes.map(bodyOf)).toEqual(['ok', 'ok', 'ok']);
  expect(agent.connections).toBe(3);
});

/** A server that answers the first request on a connection, and meets the second with an end. */
function closing(count: { requests: number }): TcpServer {
  return createTcp((socket) => {
    let first = true;
    socket.on('data', () => {
      count.requests += 1;
      if (first) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      else socket.end();
      first = false;
    });
  });
}

test('sends once more where the target has closed an idle connection, unless that may do harm', async () => {
  const count = { requests: 0 };
  const agent = await agentFor(closing(count));
  expect(await agent.send(get)).toMatchObject({ status: 200, connection: 1, attempts: 1 });
  expect(await agent.send(get)).toMatchObject({ status: 200, connection: 2, attempts: 2 });
  expect(await agent.send(post)).toMatchObject({ kind: 'closed', connection: 2, attempts: 1 });
  expect(count.requests).toBe(4);
});

test('opens a new connection where the target has announced or made an end', async () => {
  const agent = await agentFor(
    createTcp((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    }),
  );
  for (const connection of [1, 2, 3]) {
    const outcome = await agent.send(post);
    expect(outcome).toMatchObject({ status: 200, attempts: 1, connection });
    await agent.forget();
  }
});

test('holds back the rest of a body', async () => {
  const chunks: string[] = [];
  const arrived = Promise.withResolvers<void>();
  const agent = await agentFor(
    serving((request, response) => {
      request.on('data', (chunk: Buffer) => {
        chunks.push(chunk.toString());
        arrived.resolve();
      });
      request.on('end', () => response.end(request.headers['transfer-encoding']));
    }),
  );
  const rest = Promise.withResolvers<Uint8Array>();
  const outcome = agent.send({ ...post, body: { first: Buffer.from('one'), rest: rest.promise } });
  await arrived.promise;
  expect(chunks).toEqual(['one']);
  rest.resolve(Buffer.from('two'));
  expect(bodyOf(await outcome)).toBe('chunked');
  expect(chunks).toEqual(['one', 'two']);
  expect(await agent.send({ ...get, body: Buffer.from('three') })).toMatchObject({ connection: 1 });
});

test('takes a response that comes before the body’s end, and then leaves the connection', async () => {
  const agent = await agentFor(serving((_request, response) => response.writeHead(401).end('no')));
  const paused = {
    ...post,
    body: { first: Buffer.from('one'), rest: new Promise<Uint8Array>(() => undefined) },
  };
  expect(await agent.send(paused)).toMatchObject({ status: 401, connection: 1 });
  expect(await agent.send(get)).toMatchObject({ status: 401, connection: 2 });
});

test('sends CONNECT, and gives up when told', async () => {
  const server = serving(() => undefined);
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.write(`HTTP/1.1 200 ${request.url}\r\n\r\n`);
  });
  const agent = await agentFor(server);
  const connect = { method: 'CONNECT', target: 'rs.tsbt.test:443', fields: [] };
  expect(await agent.send(connect)).toMatchObject({ status: 200, connection: 1 });
  const giveUp = new AbortController();
  server.once('request', () => {
    giveUp.abort();
  });
  expect(await agent.send({ ...get, signal: giveUp.signal })).toMatchObject({
    kind: 'closed',
    connection: 2,
  });
  expect(await agent.send(get, 50)).toMatchObject({ kind: 'timeout', connection: 3 });
});

test('says that nobody listens, and refuses what cannot be sent', async () => {
  await using agent = new Agent({ host: '127.0.0.1', port: 1 });
  expect(await agent.send(get)).toMatchObject({ kind: 'refused', connection: 0 });
  await expect(agent.send({ ...get, target: '/\u{1F600}' })).rejects.toThrow('not one octet');
});

test('ends what is under way when it is disposed of', async () => {
  const server = serving(() => undefined);
  const agent = await agentFor(server);
  const arrived = once(server, 'request');
  const outcome = agent.send(get);
  await arrived;
  await agent[Symbol.asyncDispose]();
  expect(await outcome).toMatchObject({ type: 'failure', kind: 'closed' });
  expect(await agent.send(get)).toMatchObject({ type: 'failure', kind: 'closed', connection: 0 });
});
