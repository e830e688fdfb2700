import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, WrittenOctets } from './contract.ts';
import type { ServedConnection } from './served-connection.ts';

/** Most octets that take the place of a response: a client that reads them all is not protected by more of them. */
const MAX_WRITTEN = 4_194_304;

/** Writes octets that take the place of a response, and then ends the connection. */
export async function writeOctets(
  { pieces, everyMs = 0, lingerMs = 0, stays = false }: WrittenOctets,
  connection: ServedConnection,
  stream: number,
): Promise<void> {
  if (!stays) connection.announceEnd();
  let written = 0;
  for (const piece of pieces(stream)) {
    if (connection.ending !== undefined || written >= MAX_WRITTEN) break;
    await writeTo(connection.stream, piece);
    written += piece.length;
    if (everyMs > 0) await pause(everyMs);
  }
  if (stays) return;
  if (lingerMs > 0) await goneWithin(connection.stream, lingerMs);
  await connection.end();
}

/** Ends the connection of a response that was cut off, now or after a while. */
export async function endAfterCut(
  { how, stallMs = 0 }: Extract<Answer, { kind: 'cut' }>,
  connection: ServedConnection,
): Promise<void> {
  if (stallMs > 0) await pause(stallMs);
  if (how === 'reset') connection.reset();
  else await connection.end();
}

/** Resolves when the client has ended its side, or after so many milliseconds. */
async function goneWithin(stream: Duplex, milliseconds: number): Promise<void> {
  if (stream.destroyed || stream.readableEnded) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const gone = (): void => {
    resolve();
  };
  const timer = setTimeout(gone, milliseconds);
  const events = ['end', 'close', 'error'] as const;
  for (const event of events) stream.once(event, gone);
  await promise;
  for (const event of events) stream.off(event, gone);
  clearTimeout(timer);
}

/** Resolves when the octets are on their way, or the connection is gone. */
function writeTo(stream: Duplex, octets: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (!stream.writable) return Promise.resolve();
  const gone = (): void => {
    resolve();
  };
  stream.once('close', gone);
  stream.write(octets, () => {
    stream.off('close', gone);
    resolve();
  });
  return promise;
}
