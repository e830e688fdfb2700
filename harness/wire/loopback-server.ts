import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls';
import { createPki, type Pki } from '../../certs/pki.ts';
import type { ConnectOptions } from './connection.ts';

/** The PKI that the wire layer's own tests share. */
export const pki: Pki = await createPki();

/** A server on loopback, for the wire layer's own tests. */
export interface LoopbackServer extends AsyncDisposable {
  readonly port: number;
  /** The server's ends of the connections, in order. */
  readonly sockets: readonly TLSSocket[];
  /** Options for a connection that the server will serve. */
  options(changes?: Partial<ConnectOptions>): ConnectOptions;
}

const credentials = {
  cert: pki.server.chain,
  key: pki.server.privateKey,
  ca: pki.trusted.certificate,
  requestCert: true,
  rejectUnauthorized: true,
};

async function listening(server: Server, sockets: readonly TLSSocket[]): Promise<LoopbackServer> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {
      // Tests break connections on purpose.
    });
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    sockets,
    options: (changes = {}) => ({
      host: '127.0.0.1',
      port,
      tls: 'TLSv1.3',
      http: 'http/1.1',
      identity: pki.alice['P-256'],
      serverAuthorities: pki.trusted.certificate,
      ...changes,
    }),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function gather(server: Server): readonly TLSSocket[] {
  const sockets: TLSSocket[] = [];
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    sockets.push(socket);
    socket.on('error', () => {
      // Tests break connections on purpose.
    });
  });
  return sockets;
}

/** A server for HTTP/1.1 and HTTP/2 with client certificates required. */
export async function startHttp(set: (server: Http2SecureServer) => void): Promise<LoopbackServer> {
  const server = createSecureServer({ allowHTTP1: true, ...credentials });
  server.on('sessionError', () => {
    // As above.
  });
  const sockets = gather(server);
  set(server);
  return listening(server, sockets);
}

/** A TLS server that does what it is told with each connection. */
export async function startTls(
  serve: (socket: TLSSocket) => void,
  settings: TlsOptions = {},
): Promise<LoopbackServer> {
  const server = createTlsServer({ ...credentials, ALPNProtocols: ['http/1.1'], ...settings }, serve);
  return listening(server, gather(server));
}

/** A TCP server that does what it is told with each connection. */
export async function startTcp(serve: (socket: Socket) => void): Promise<LoopbackServer> {
  return listening(createTcpServer(serve), []);
}
