import type { TLSSocket } from 'node:tls';
import { Duplex } from 'node:stream';

/**
 * A TLS socket seen through a pane that can hold back what is written, to send it in one piece: frames of HTTP/2, which
 * Node writes one turn after the other, then reach the target in the same octets.
 */
export class GatheringPane {
  /** What to give to `http2.connect` in the socket's place. */
  readonly stream: Duplex;
  readonly #socket: TLSSocket;
  #held: Buffer[] | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    const stream = new Duplex({
      read: () => {
        socket.resume();
      },
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#held === undefined) return void socket.write(chunk, done);
        this.#held.push(Buffer.from(chunk));
        done();
      },
      final: (done) => {
        if (socket.writableEnded) done();
        else socket.end(done);
      },
      destroy: (error, done) => {
        socket.destroy();
        done(error);
      },
    });
    socket.on('data', (octets: Buffer) => {
      if (!stream.push(octets)) socket.pause();
    });
    socket.on('end', () => stream.push(null));
    socket.on('close', () => stream.destroy());
    this.stream = stream;
  }

  /** Holds back what is written from now on. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends what was held back, in one write. */
  release(): void {
    const held = Buffer.concat(this.#held ?? []);
    this.#held = undefined;
    if (held.length > 0 && this.#socket.writable) this.#socket.write(held);
  }
}
