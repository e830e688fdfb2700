import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { createAuthority } from '../../certs/authority.ts';
import { issue } from '../../certs/issue.ts';
import { freePort } from './free-port.ts';
import { greet } from './readiness.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test('a handshake tells the certificate', async () => {
  const identity = await issue(await createAuthority('CA'), { name: 'server', keyType: 'P-256' });
  const port = await listening(createTlsServer({ key: identity.privateKey, cert: identity.chain }));
  const greeting = await greet('127.0.0.1', port, 5000);
  expect(greeting.type).toBe('handshake');
  const pem = greeting.type === 'handshake' ? (greeting.certificate?.toString('base64') ?? '') : '';
  expect(identity.certificate.replaceAll(/-----.*-----|\s/g, '')).toBe(pem);
});

test('an alert is an answer', async () => {
  const identity = await issue(await createAuthority('CA'), { name: 'server', keyType: 'P-256' });
  const server = createTlsServer({
    key: identity.privateKey,
    cert: identity.chain,
    ALPNProtocols: ['something-else'],
  });
  expect(await greet('127.0.0.1', await listening(server), 5000)).toEqual({ type: 'alert' });
});

test('another protocol is noticed at once', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('220 mail.example ready\r\n');
  });
  expect(await greet('127.0.0.1', await listening(server), 5000)).toEqual({ type: 'not-tls' });
});

test('a server that never answers the handshake', async () => {
  const port = await listening(createServer((socket) => socket.on('error', () => undefined)));
  expect(await greet('127.0.0.1', port, 150)).toEqual({
    type: 'silent',
    detail: 'it accepted the connection, but did not answer the TLS handshake',
  });
});

test('a server that ends every connection', async () => {
  const port = await listening(createServer((socket) => socket.destroy()));
  const greeting = await greet('127.0.0.1', port, 150);
  expect(greeting).toMatchObject({
    type: 'silent',
    detail: expect.stringMatching(/resets connections|ended/),
  });
});

test('a server that comes up later is waited for', async () => {
  const identity = await issue(await createAuthority('CA'), { name: 'server', keyType: 'P-256' });
  const port = await freePort();
  const greeting = greet('127.0.0.1', port, 5000);
  const server = createTlsServer({ key: identity.privateKey, cert: identity.chain });
  setImmediate(() => server.listen(port, '127.0.0.1'));
  servers.push(server);
  expect((await greeting).type).toBe('handshake');
});

test('a signal ends the waiting', async () => {
  const port = await freePort();
  const signal = AbortSignal.timeout(50);
  expect((await greet('127.0.0.1', port, 60_000, signal)).type).toBe('silent');
  expect((await greet('127.0.0.1', port, 60_000, AbortSignal.abort())).type).toBe('silent');
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
