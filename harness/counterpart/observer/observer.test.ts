import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Observer } from './observer.ts';

/** An observer before a server that sends back what it gets, in capitals. */
async function observed(): Promise<{ readonly observer: Observer; readonly ends: readonly Socket[] }> {
  const ends: Socket[] = [];
  const server = createServer((socket) => {
    ends.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (octets) => socket.write(octets.toString().toUpperCase()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const observer = await Observer.open('127.0.0.1', {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  onTestFinished(async () => {
    await observer[Symbol.asyncDispose]();
    for (const socket of ends) socket.destroy();
    server.close();
  });
  return { observer, ends };
}

async function spoken(observer: Observer): Promise<Socket> {
  const socket = connect(observer.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('hello');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toBe('HELLO');
  return socket;
}

test('hands on octets both ways, and counts', async () => {
  const { observer } = await observed();
  await spoken(observer);
  await spoken(observer);
  expect(observer.connections).toBe(2);
  expect(observer.traffic).toEqual({ connections: 2, resumed: 0, tls: [], sent: 10, received: 10 });
});

test('cuts what stands, at both ends, and takes new connections', async () => {
  const { observer, ends } = await observed();
  const socket = await spoken(observer);
  const closed = once(socket, 'close');
  await observer.cut();
  await closed;
  expect(ends.map((end) => end.closed || end.readableEnded)).toEqual([true]);
  await spoken(observer);
  expect(observer.connections).toBe(2);
});

test('ends one side when the other ends', async () => {
  const { observer, ends } = await observed();
  const socket = await spoken(observer);
  const [end] = ends;
  const closed = once(socket, 'close');
  end?.destroy();
  await closed;
  expect(socket.destroyed).toBe(true);
});

test('a server that is not there is one that hangs up', async () => {
  const observer = await Observer.open('127.0.0.1', { host: '127.0.0.1', port: 1 });
  onTestFinished(() => observer[Symbol.asyncDispose]());
  const socket = connect(observer.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'close');
  expect(observer.connections).toBe(1);
});
