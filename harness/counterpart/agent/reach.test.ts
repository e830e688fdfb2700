import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { reachBeyondLoopback } from './reach.ts';

async function listen(host: string): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

test('a listener on loopback is not reached at other addresses', async () => {
  await using server = await listen('127.0.0.1');
  const { tried, accepting } = await reachBeyondLoopback(server.port);
  expect(tried).not.toEqual([]);
  expect(tried).not.toContain('127.0.0.1');
  expect(accepting).toEqual([]);
});

test('a listener on every address is', async () => {
  await using server = await listen('0.0.0.0');
  const { tried, accepting } = await reachBeyondLoopback(server.port);
  expect(accepting).toEqual(tried.filter((address) => !address.includes(':')));
});
