import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { within } from '../../target/bounded.ts';
import { readHellos } from './hellos.ts';
import type { Hellos } from './hellos.ts';

/** How much of each direction is kept until the hellos are read, in octets. */
const HEAD = 32_768;
/** How long two ends may take to let go of a connection that is cut. */
const CUT_MS = 1000;

/** What an observer saw. Plain data. */
export interface Traffic {
  readonly connections: number;
  /** Connections that resumed a session. */
  readonly resumed: number;
  /** TLS versions that the server chose, such as `TLSv1.3`. */
  readonly tls: readonly string[];
  /** Octets from client to server and back, TLS records and all. */
  readonly sent: number;
  readonly received: number;
}

interface Relayed {
  readonly inner: Socket;
  readonly outer: Socket;
  sent: number;
  received: number;
  heads: { sent: Buffer; received: Buffer } | undefined;
  hellos: Hellos | undefined;
}

/** Where an observer hands connections on to. */
interface Beyond {
  readonly host: string;
  readonly port: number;
}

/**
 * Stands between a client and a resource server and hands on what they send each other, octet for octet. It reads what a
 * handshake says in the clear, counts, and cuts connections as a network does; it has no keys.
 */
export class Observer implements AsyncDisposable {
  readonly #server = createServer({ noDelay: true, allowHalfOpen: true }, (inner) => this.#relay(inner));
  readonly #beyond: Beyond;
  readonly #all: Relayed[] = [];
  readonly #open = new Set<Relayed>();

  private constructor(beyond: Beyond) {
    this.#beyond = beyond;
  }

  /** @param address to listen at, on a free port */
  static async open(address: string, beyond: Beyond): Promise<Observer> {
    const observer = new Observer(beyond);
    observer.#server.listen(0, address);
    await once(observer.#server, 'listening');
    return observer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there have been. */
  get connections(): number {
    return this.#all.length;
  }

  get traffic(): Traffic {
    const hellos = this.#all.flatMap((one) => one.hellos ?? []);
    const sum = (of: (one: Relayed) => number): number =>
      this.#all.reduce((total, one) => total + of(one), 0);
    return {
      connections: this.#all.length,
      resumed: hellos.filter(({ resumed }) => resumed).length,
      tls: [...new Set(hellos.map(({ tls }) => tls))],
      sent: sum(({ sent }) => sent),
      received: sum(({ received }) => received),
    };
  }

  /** Ends every connection that stands, without a word of TLS, as a network that lost its state does. */
  async cut(): Promise<void> {
    await Promise.all(
      [...this.#open].map(async ({ inner, outer }) => {
        const gone = [inner, outer].map(
          (socket) =>
            new Promise<void>((resolve) =>
              socket.closed ? resolve() : socket.once('close', () => resolve()),
            ),
        );
        inner.end();
        outer.end();
        await within(Promise.all(gone), CUT_MS);
        inner.destroy();
        outer.destroy();
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { inner, outer } of this.#open) {
      inner.destroy();
      outer.destroy();
    }
    await closed;
  }

  #relay(inner: Socket): void {
    const outer = connect({ ...this.#beyond, noDelay: true, allowHalfOpen: true });
    const empty = Buffer.of();
    const one: Relayed = {
      inner,
      outer,
      sent: 0,
      received: 0,
      heads: { sent: empty, received: empty },
      hellos: undefined,
    };
    this.#all.push(one);
    this.#open.add(one);
    inner.on('data', (octets) => see(one, 'sent', octets));
    outer.on('data', (octets) => see(one, 'received', octets));
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      socket.pipe(other);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#open.delete(one);
        // What it sent last is still on its way to the other.
        if (other.writableEnded && !other.writableFinished) other.once('finish', () => other.destroy());
        else other.destroy();
      });
    }
  }
}

function see(one: Relayed, direction: 'sent' | 'received', octets: Buffer): void {
  one[direction] += octets.length;
  if (one.heads === undefined) return;
  if (one.heads[direction].length < HEAD)
    one.heads = { ...one.heads, [direction]: Buffer.concat([one.heads[direction], octets]) };
  const hellos = readHellos(one.heads.sent, one.heads.received);
  if (hellos !== undefined) one.hellos = hellos;
  // What was not read by then never will be.
  if (hellos !== undefined || one.heads.received.length >= HEAD) one.heads = undefined;
}
