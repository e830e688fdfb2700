import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const RECORD_HEADER = 5;
const HANDSHAKE = 22;
const SERVER_HELLO = 2;
/** Record header, handshake header and version stand before the random (RFC 5246 §6.2.1, §7.4.1.3). */
const RANDOM_AT = RECORD_HEADER + 4 + 2;
const RANDOM_LENGTH = 32;

/**
 * A TCP socket seen through a pane: the octets pass through JavaScript, so that the server's random, which Node shows
 * nowhere, can be read from its ServerHello. Costs a tenth of the handshake rate; only TLS 1.2 needs it.
 */
export class ServerHelloPane {
  /** What to give to `tls.connect` in the socket's place. */
  readonly stream: Duplex;
  #head = Buffer.alloc(0);

  constructor(tcp: Socket) {
    const stream = new Duplex({
      read: () => {
        tcp.resume();
      },
      write: (chunk: Buffer, _encoding, done) => {
        tcp.write(chunk, done);
      },
      final: (done) => {
        if (tcp.writableEnded) done();
        else tcp.end(done);
      },
      destroy: (error, done) => {
        tcp.destroy();
        done(error);
      },
    });
    tcp.on('data', (octets) => {
      const chunk = Buffer.from(octets);
      if (this.#head.length < RANDOM_AT + RANDOM_LENGTH) this.#head = Buffer.concat([this.#head, chunk]);
      if (!stream.push(chunk)) tcp.pause();
    });
    tcp.on('end', () => stream.push(null));
    tcp.on('close', () => stream.destroy());
    this.stream = stream;
  }

  /** The server's random of the first handshake; `undefined` if its ServerHello did not come first and in one piece. */
  get serverRandom(): Buffer | undefined {
    const head = this.#head;
    if (head.length < RANDOM_AT + RANDOM_LENGTH) return undefined;
    if (head[0] !== HANDSHAKE || head[RECORD_HEADER] !== SERVER_HELLO) return undefined;
    return Buffer.from(head.subarray(RANDOM_AT, RANDOM_AT + RANDOM_LENGTH));
  }
}
