import { connect, type Socket } from 'node:net';
import type { ChannelEvents, OctetChannel } from '../../wire/octet-channel.ts';
import { endingOf, type Ending } from '../../wire/tls-failure.ts';

/** How long the target may take to end its side after the agent has ended its own. */
const CLOSE_TIMEOUT_MS = 250;

/** Plain TCP, as between an agent and its sidecar. */
export class TcpChannel implements OctetChannel {
  ended: Ending | undefined;
  /** Octets that have come from the target so far. */
  received = 0;
  readonly #socket: Socket;
  #events: ChannelEvents | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (octets) => {
      this.received += octets.length;
      this.#events?.data(octets);
    });
    socket.on('error', (error) => {
      this.#end(endingOf(error, 'established'));
    });
    socket.on('end', () => {
      this.#end({ kind: 'closed', detail: 'the target ended the connection' });
    });
    socket.on('close', () => {
      this.#end({ kind: 'closed', detail: 'the connection is closed' });
    });
  }

  /** Connects; resolves with how that failed where it does. */
  static async open(host: string, port: number, timeoutMs: number): Promise<TcpChannel | Ending> {
    const socket = connect({ host, port, noDelay: true });
    const { promise, resolve } = Promise.withResolvers<TcpChannel | Ending>();
    const timer = setTimeout(() => {
      resolve({ kind: 'timeout', detail: `no TCP connection within ${timeoutMs} ms` });
      socket.destroy();
    }, timeoutMs);
    const onError = (error: Error): void => {
      resolve(endingOf(error, 'handshake'));
    };
    socket.on('error', onError);
    socket.once('connect', () => {
      resolve(new TcpChannel(socket));
    });
    const outcome = await promise;
    clearTimeout(timer);
    return outcome;
  }

  write(octets: Uint8Array): void {
    if (this.ended === undefined && this.#socket.writable) this.#socket.write(octets);
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#end({ kind: 'closed', detail: 'the agent closed the connection' });
    if (socket.closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
    socket.once('close', () => {
      resolve();
    });
    socket.end();
    await promise;
    clearTimeout(timer);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    const { ended } = this;
    if (ended !== undefined)
      queueMicrotask(() => {
        events.end(ended);
      });
  }

  #end(ending: Ending): void {
    if (this.ended !== undefined) return;
    this.ended = ending;
    this.#events?.end(ending);
  }
}
