import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { opensslError } from '../../wire/libssl.ts';
import type { Handle } from '../../wire/openssl-handshake.ts';
import { alertIn } from '../../wire/tls-failure.ts';
import type { LibsslServer } from './openssl-binding.ts';

const WANT_READ = 2;
const WANT_WRITE = 3;
const ZERO_RETURN = 6;
const EARLY_ERROR = 0;
const EARLY_FINISH = 2;
const RECORD = 16_384;
const UPDATE_REQUESTED = 1;

/** What happens to a connection that OpenSSL serves. */
export interface OpenSslEvents {
  /** The handshake is complete. `stream` carries the application's octets, early data first. */
  established(server: OpenSslServer): void;
  /** The handshake did not come to its end. */
  failed(reason: string): void;
}

/** OpenSSL as a TLS server over memory BIOs, for one connection; `node:tls` can neither send KeyUpdate nor accept early data. */
export class OpenSslServer {
  readonly lib: LibsslServer;
  readonly handle: Handle;
  readonly tcp: Socket;
  readonly stream: Duplex;
  readonly #events: OpenSslEvents;
  readonly #early: Buffer[] = [];
  #state: 'early' | 'handshake' | 'established' | 'ended';
  #freed = false;
  #hasEnded = false;

  /** @param earlyData whether the server's context allows it */
  constructor(lib: LibsslServer, handle: Handle, tcp: Socket, earlyData: boolean, events: OpenSslEvents) {
    this.lib = lib;
    this.handle = handle;
    this.tcp = tcp;
    this.#events = events;
    this.#state = earlyData ? 'early' : 'handshake';
    this.stream = new Duplex({
      read: () => {
        tcp.resume();
      },
      write: (chunk: Buffer, _encoding, done) => {
        this.#write(chunk);
        done();
      },
      final: (done) => {
        if (this.usable) this.lib.SSL_shutdown(handle.ssl);
        this.#flush();
        tcp.end();
        done();
      },
      destroy: (error, done) => {
        tcp.destroySoon();
        done(error);
      },
    });
    this.stream.on('error', () => {
      // Whoever the connection is handed to listens too; before that there is nobody.
    });
  }

  /** Begins to serve; what comes of it is told by the events. */
  begin(): void {
    const { tcp, lib, handle } = this;
    tcp.on('data', (octets) => {
      if (this.#freed) return;
      lib.BIO_write(handle.incoming, octets, octets.length);
      this.#pump();
    });
    tcp.on('end', () => {
      this.#over('the client ended the connection during the TLS handshake');
    });
    tcp.on('error', (error) => {
      this.#over(`the client reset the connection (${'code' in error ? String(error.code) : error.name})`);
    });
    tcp.on('close', () => {
      this.#over('the client ended the connection during the TLS handshake');
      this.stream.destroy();
      this.#freed = true;
      lib.SSL_free(handle.ssl);
    });
  }

  /** Whether OpenSSL may still be asked anything about the connection. */
  get usable(): boolean {
    return !this.#freed && this.#state === 'established';
  }

  /** What came as early data (RFC 8446 §2.3). */
  get earlyData(): Buffer {
    return Buffer.concat(this.#early);
  }

  /**
   * Sends a KeyUpdate and asks for the client's own (RFC 8446 §4.6.3).
   *
   * @throws {Error} on TLS 1.2
   */
  keyUpdate(): void {
    const { ssl } = this.handle;
    if (!this.usable) return;
    if (this.lib.SSL_key_update(ssl, UPDATE_REQUESTED) !== 1)
      throw new Error(`no KeyUpdate: ${opensslError(this.lib)}`);
    this.lib.SSL_do_handshake(ssl);
    this.#flush();
  }

  /** Drives early data, handshake and reading as far as the octets at hand go. */
  #pump(): void {
    if (this.#state === 'early') this.#readEarly();
    if (this.#state === 'handshake') {
      const result = this.lib.SSL_do_handshake(this.handle.ssl);
      this.#flush();
      if (result === 1) this.#complete();
      else this.#judge(result);
    }
    const record = Buffer.alloc(RECORD);
    while (this.usable) {
      const count = this.lib.SSL_read(this.handle.ssl, record, RECORD);
      this.#flush();
      if (count <= 0) {
        this.#judge(count);
        break;
      }
      this.#push(Buffer.from(record.subarray(0, count)));
    }
  }

  #readEarly(): void {
    const octets = Buffer.alloc(RECORD);
    for (;;) {
      const read: [number] = [0];
      const result = this.lib.SSL_read_early_data(this.handle.ssl, octets, RECORD, read);
      this.#flush();
      if (read[0] > 0) this.#early.push(Buffer.from(octets.subarray(0, read[0])));
      if (result === EARLY_FINISH) {
        this.#state = 'handshake';
        return;
      }
      if (result === EARLY_ERROR) {
        this.#judge(result);
        return;
      }
    }
  }

  #complete(): void {
    this.#state = 'established';
    this.#events.established(this);
    if (this.#early.length > 0) this.#push(this.earlyData);
  }

  #push(octets: Buffer): void {
    if (!this.stream.push(octets)) this.tcp.pause();
  }

  /** Ends the connection if a result means that, and not just that more octets are wanted. */
  #judge(result: number): void {
    const reason = this.lib.SSL_get_error(this.handle.ssl, result);
    if (reason === WANT_READ || reason === WANT_WRITE) return;
    const text = opensslError(this.lib);
    const alert = alertIn(text);
    const words =
      alert === undefined ? `the TLS handshake failed: ${text}` : `the client sent the TLS alert ${alert}`;
    if (this.#state !== 'established') {
      this.#over(words);
      this.tcp.end();
    } else if (reason === ZERO_RETURN) this.#over('the client ended the connection');
    else this.stream.destroy(new Error(words));
  }

  /** No more octets will come; after a client's close_notify some may still go. */
  #over(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#state === 'established') this.stream.push(null);
    else {
      this.#state = 'ended';
      this.#events.failed(reason);
    }
  }

  #write(octets: Buffer): void {
    for (let offset = 0; offset < octets.length && this.usable; offset += RECORD) {
      const record = octets.subarray(offset, offset + RECORD);
      this.lib.SSL_write(this.handle.ssl, record, record.length);
    }
    this.#flush();
  }

  #flush(): void {
    if (this.#freed) return;
    const { outgoing } = this.handle;
    for (
      let size = Number(this.lib.BIO_ctrl_pending(outgoing));
      size > 0;
      size = Number(this.lib.BIO_ctrl_pending(outgoing))
    ) {
      const octets = Buffer.alloc(size);
      this.lib.BIO_read(outgoing, octets, size);
      if (this.tcp.writable) this.tcp.write(octets);
    }
  }
}
