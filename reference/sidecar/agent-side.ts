import { chmod } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { type ListenAddress, SettingsError } from './settings.ts';

/** Longest header section of a request, in octets. */
const MAXIMUM_HEADERS = 131_072;

/** A plain HTTP server that listens. */
export interface AgentSide {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Ends every connection and stops listening. */
  readonly close: () => Promise<void>;
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; stop what listens there or choose another one',
  EACCES: 'may not be listened on by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
  ENOTFOUND: 'is not a known host',
  ENOENT: 'is in a folder that does not exist',
};

/**
 * Listens for agents on plain HTTP/1.1. There are no tunnels: what goes through one could not be proven, and what
 * is proven has to be a request.
 *
 * @throws SettingsError for an address that cannot be listened on
 */
export async function listenForAgents(address: ListenAddress, listener: RequestListener): Promise<AgentSide> {
  const server = createServer({ maxHeaderSize: MAXIMUM_HEADERS }, listener);
  server.on('connect', (_request, socket) => {
    socket.end('HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(address, () => {
    server.off('error', reject);
    resolve();
  });
  try {
    await promise;
  } catch (error) {
    const problem = LISTEN_PROBLEMS[error instanceof Error && 'code' in error ? String(error.code) : ''];
    const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
    throw problem === undefined ? error : new SettingsError(`TSBT_LISTEN: ${where} ${problem}`);
  }
  if ('path' in address) await chmod(address.path, 0o600);
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
