import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** The address at which the suite has targets listen. */
export const LOOPBACK = '127.0.0.1';

/** A TCP port of the loopback address that was free a moment ago. Another program may still take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
