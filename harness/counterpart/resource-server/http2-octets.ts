import { Duplex } from 'node:stream';
import { FRAME, frame } from '../../wire/http2-frames.ts';

/** A GOAWAY frame with NO_ERROR (RFC 9113 §6.8). */
function goAwayFrame(lastStreamId: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId);
  return frame(FRAME.goAway, 0, 0, payload);
}

/**
 * What HTTP/2 is spoken on: the TLS connection with a door for frames of the counterpart's own. Node's GOAWAY cannot say
 * that no stream at all was processed, which is what a first request that may be tried again elsewhere needs.
 */
export class Http2Octets {
  readonly stream: Duplex;
  readonly #socket: Duplex;
  #silent = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    const write = (octets: Buffer, done: () => void): void => {
      if (socket.writable && !this.#silent)
        socket.write(octets, () => {
          done();
        });
      else done();
    };
    const stream = new Duplex({
      read: () => {
        socket.resume();
      },
      write: (chunk: Buffer, _encoding, done) => {
        write(chunk, done);
      },
      // Whole frames at a time, so that another can be put between them.
      writev: (chunks, done) => {
        write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done);
      },
      final: (done) => {
        if (socket.writableEnded) done();
        else
          socket.end(() => {
            done();
          });
      },
      destroy: (error, done) => {
        // What was written last is still on its way.
        if (socket.writableFinished) socket.destroy();
        else socket.end(() => socket.destroy());
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

  /** From now on nothing is written here: the socket is another's, until its end. */
  silence(): void {
    this.#silent = true;
  }

  goAway(lastStreamId: number): void {
    if (this.#socket.writable) this.#socket.write(goAwayFrame(lastStreamId));
  }
}
