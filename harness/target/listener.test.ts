import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { freePort, LOOPBACK } from './free-port.ts';
import { listenerAt } from './listener.ts';

test('a free port is not given again at once, and is none that the system gives out', async () => {
  const ports = [await freePort(), ...(await Promise.all([freePort(), freePort()]))];
  expect(new Set(ports).size).toBe(3);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

test('nobody is known to listen at a free port', async () => {
  expect(await listenerAt(await freePort(), process.pid)).toBe('unknown');
});

// Elsewhere it is unknown who listens.
describe.runIf(process.platform === 'linux')('who listens is known', () => {
  test.each([LOOPBACK, '0.0.0.0', '::'])('at %s', async (address) => {
    const server = createServer();
    server.listen(await freePort(), address);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await listenerAt(port, process.ppid)).toBe('own');
    const stranger = 2 ** 22 + 1;
    expect(await listenerAt(port, stranger)).toBe('foreign');
    server.close();
  });
});
