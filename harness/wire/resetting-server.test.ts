import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { connect } from './connect.ts';
import { ConnectFailure, type Connection, type ConnectOptions, type WireRequest } from './connection.ts';
import { pki, startTcp, type LoopbackServer } from './loopback-server.ts';
import { loadOpenSslClient } from './openssl-client.ts';

const get: WireRequest = { method: 'GET', target: '/', fields: [] };

/** When a server resets the TCP connection. */
const MOMENTS: Readonly<Record<string, (tcp: Socket) => void>> = {
  'as soon as it has accepted it': (tcp) => tcp.resetAndDestroy(),
  'in the handshake': (tcp) => tcp.once('data', () => tcp.resetAndDestroy()),
  'after the handshake': (tcp) => secured(tcp, () => tcp.resetAndDestroy()),
  'instead of a response': (tcp) =>
    secured(tcp, (socket) => socket.once('data', () => tcp.resetAndDestroy())),
  'in the middle of a response': (tcp) =>
    secured(tcp, (socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha', () => tcp.resetAndDestroy()),
      ),
    ),
  'after a response': (tcp) =>
    secured(tcp, (socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 204 No Content\r\n\r\n', () => setImmediate(() => tcp.resetAndDestroy())),
      ),
    ),
  'when the client ends it': (tcp) =>
    secured(tcp, (socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
      socket.once('end', () => tcp.resetAndDestroy());
    }),
  'when the client ends it, after the response was none': (tcp) =>
    secured(tcp, (socket) => {
      socket.once('data', () => socket.write('not HTTP\r\n\r\n'));
      socket.once('end', () => tcp.resetAndDestroy());
    }),
  'after it has demanded a certificate in vain': (tcp) => secured(tcp, () => undefined, true),
};

function secured(tcp: Socket, serve: (socket: TLSSocket) => void, requestCert = false): void {
  const server = createTlsServer({
    cert: pki.server.chain,
    key: pki.server.privateKey,
    ca: pki.trusted.certificate,
    requestCert,
    ALPNProtocols: ['http/1.1', 'h2'],
    allowHalfOpen: true,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.emit('connection', tcp);
}

type Open = (options: ConnectOptions) => Promise<Connection>;

const CLIENTS: Readonly<Record<string, Open>> = {
  'HTTP/1.1': (options) => connect(options),
  'HTTP/2': (options) => connect({ ...options, http: 'h2' }),
  'OpenSSL’s client': async (options) => {
    const client = await loadOpenSslClient();
    if ('unavailable' in client) throw new Error(client.unavailable);
    return client.connect(options);
  },
};

/** What a request comes to, with all that the client does before and after it. */
async function journey(server: LoopbackServer, open: Open): Promise<string> {
  try {
    await using connection = await open(server.options({ identity: null, timeoutMs: 2000 }));
    const outcome = await connection.send(get, 2000);
    connection.exporter();
    await connection.session(1);
    return outcome.type;
  } catch (error) {
    if (error instanceof ConnectFailure) return 'no connection';
    throw error;
  }
}

describe.each(Object.entries(CLIENTS))('%s, at a server that resets the connection', (_client, open) => {
  test.each(Object.entries(MOMENTS))('%s', async (_moment, serve) => {
    await using server = await startTcp(serve);
    for (let round = 0; round < 3; round++)
      expect(await journey(server, open)).toMatch(/^(no connection|failure|response)$/);
  });
});
