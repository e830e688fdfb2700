import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { threadId } from 'node:worker_threads';

/** The address at which the suite has targets listen. */
export const LOOPBACK = '127.0.0.1';

/**
 * Below the ports that systems give out by themselves, to connections and to servers that ask for any (32768 and up on
 * Linux, 49152 and up elsewhere; RFC 6335 §6): a target takes a while to listen, and its port must not go to somebody else.
 */
const FIRST = 20_000;
/** Processes that run at the same time have ports of their own, mostly: their ids are close together. */
const SLICES = 80;
const SLICE = 125;

const slice = FIRST + ((process.pid + threadId) % SLICES) * SLICE;
let next = Math.floor(Math.random() * SLICE);

/**
 * A TCP port of the loopback address that was free a moment ago, and that this process has not been given for a while.
 * Another program may still take it before it is used.
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < SLICE; tried++) {
    const port = slice + (next++ % SLICE);
    if ((await bound(port)) !== undefined) return port;
  }
  const port = await bound(0);
  if (port === undefined) throw new Error(`no port of ${LOOPBACK} is free`);
  return port;
}

/** The port that a server could be bound to; `undefined` where it could not. */
async function bound(wanted: number): Promise<number | undefined> {
  const server = createServer();
  server.listen(wanted, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
