import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Identity } from '../../certs/identity.ts';
import { ConnectFailure, DEFAULT_TIMEOUT_MS, type ConnectOptions, type WireFailure } from './connection.ts';
import type { FullDerivation } from './exporter-source.ts';
import { opensslError, type Libssl } from './libssl.ts';
import type { ChannelEvents, OctetChannel } from './octet-channel.ts';
import { useIdentity, type Handle } from './openssl-handshake.ts';
import { alertIn, endingOf, failureOf, type Ending } from './tls-failure.ts';

const WANT_READ = 2;
const WANT_WRITE = 3;
const ZERO_RETURN = 6;
const CLOSE_TIMEOUT_MS = 250;
const RECORD = 16_384;

/** A TLS connection made by OpenSSL over memory BIOs, with a TCP socket that carries the records. */
export class OpenSslChannel implements OctetChannel {
  ended: Ending | undefined;
  readonly #lib: Libssl;
  readonly #handle: Handle;
  readonly #tcp: Socket;
  #established = false;
  #freed = false;
  #events: ChannelEvents | undefined;
  #early: Buffer[] = [];
  #onProgress: (() => void) | undefined;

  constructor(lib: Libssl, handle: Handle, tcp: Socket) {
    this.#lib = lib;
    this.#handle = handle;
    this.#tcp = tcp;
    tcp.on('data', (octets) => {
      if (this.#freed) return;
      lib.BIO_write(handle.incoming, octets, octets.length);
      this.#pump();
    });
    tcp.on('error', (error) => {
      this.#end(endingOf(error, this.#established ? 'established' : 'handshake'));
    });
    tcp.on('end', () => {
      this.#end({ kind: 'closed', detail: 'the target ended the connection' });
    });
    tcp.on('close', () => {
      this.#end({ kind: 'closed', detail: 'the connection is closed' });
      this.#free();
    });
  }

  /**
   * Completes the handshake.
   *
   * @throws {ConnectFailure}
   */
  async handshake(options: ConnectOptions, started: number): Promise<void> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#pump();
    await this.#progress(() => this.#established, timeoutMs);
    if (this.#established) return;
    const ending = this.ended ?? { kind: 'timeout', detail: `no TLS connection within ${timeoutMs} ms` };
    this.destroy();
    throw new ConnectFailure(failureOf(ending, performance.now() - started));
  }

  /**
   * Sends application data with the ClientHello (RFC 8446 §2.3). Before the handshake only.
   *
   * @param octets computes what to send, given the early exporter (RFC 8446 §7.5)
   * @returns how many octets were sent; 0 if the session allows none
   */
  writeEarly(octets: (earlyExporter: (derivation: FullDerivation) => Buffer) => Uint8Array): number {
    const lib = this.#lib;
    const { ssl } = this.#handle;
    const written: [number] = [0];
    // The first call makes the ClientHello, from which the early exporter's secret comes.
    if (lib.SSL_write_early_data(ssl, Buffer.alloc(1), 0, written) !== 1) {
      lib.ERR_clear_error();
      return 0;
    }
    const data = octets(({ label, context, length }) => {
      const out = Buffer.alloc(length);
      const [name, ctx] = [Buffer.from(label, 'latin1'), context ?? new Uint8Array()];
      const result = lib.SSL_export_keying_material_early(
        ssl,
        out,
        length,
        name,
        name.length,
        padded(ctx),
        ctx.length,
      );
      if (result !== 1) throw new Error(`no early exporter value: ${opensslError(lib)}`);
      return out;
    });
    const sent = lib.SSL_write_early_data(ssl, data, data.length, written) === 1 ? written[0] : 0;
    this.#flush();
    return sent;
  }

  exporter({ label, context, length }: FullDerivation): Buffer {
    const out = Buffer.alloc(length);
    const name = Buffer.from(label, 'latin1');
    const octets = context ?? new Uint8Array();
    const result = this.#lib.SSL_export_keying_material(
      this.#handle.ssl,
      out,
      length,
      name,
      name.length,
      padded(octets),
      octets.length,
      context === null ? 0 : 1,
    );
    if (result !== 1) throw new Error(`no exporter value: ${opensslError(this.#lib)}`);
    return out;
  }

  /** Whether the handle may still be asked anything. */
  get usable(): boolean {
    return !this.#freed;
  }

  /** Sends a KeyUpdate (RFC 8446 §4.6.3), asking the target for its own or not. */
  keyUpdate(requestPeer: boolean): void {
    if (!this.#usableNow()) return;
    if (this.#lib.SSL_key_update(this.#handle.ssl, requestPeer ? 1 : 0) !== 1)
      throw new Error(`no KeyUpdate: ${opensslError(this.#lib)}`);
    this.#lib.SSL_do_handshake(this.#handle.ssl);
    this.#flush();
  }

  /**
   * Renegotiates (RFC 5746), with another certificate if given.
   *
   * @returns `undefined` once the new handshake is complete, else how the target refused
   */
  async renegotiate(identity: Identity | undefined, timeoutMs: number): Promise<WireFailure | undefined> {
    const started = performance.now();
    const lib = this.#lib;
    const { ssl } = this.#handle;
    if (this.#usableNow()) {
      if (identity !== undefined) useIdentity(lib, ssl, identity);
      if (lib.SSL_renegotiate(ssl) !== 1) throw new Error(`no renegotiation: ${opensslError(lib)}`);
      this.#established = false;
      this.#pump();
      await this.#progress(() => this.#established, timeoutMs);
    }
    if (this.ended !== undefined) return failureOf(this.ended, performance.now() - started);
    if (this.#established) return undefined;
    return failureOf({ kind: 'timeout', detail: `no renegotiation within ${timeoutMs} ms` }, timeoutMs);
  }

  /** Waits until the condition holds, the connection ends, or the time is up. */
  async until(condition: () => boolean, timeoutMs: number): Promise<void> {
    await this.#progress(condition, timeoutMs);
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    const { ended } = this;
    // Not at once: what has come already answers early data, and the caller has yet to say that it waits for an answer.
    queueMicrotask(() => {
      for (const octets of this.#early.splice(0)) events.data(octets);
      if (ended !== undefined) events.end(ended);
    });
  }

  write(octets: Uint8Array): void {
    for (let offset = 0; offset < octets.length && this.#usableNow(); offset += RECORD) {
      const record = octets.subarray(offset, offset + RECORD);
      this.#lib.SSL_write(this.#handle.ssl, record, record.length);
    }
    this.#flush();
  }

  async close(): Promise<void> {
    if (this.#usableNow()) {
      this.#lib.SSL_shutdown(this.#handle.ssl);
      this.#flush();
    }
    this.#end({ kind: 'closed', detail: 'the connection was closed by the suite' });
    if (!this.#tcp.closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => this.#tcp.destroy(), CLOSE_TIMEOUT_MS);
      // Not `once` of node:events, which rejects when the target resets a connection whose outcome is known already.
      this.#tcp.once('close', () => {
        resolve();
      });
      this.#tcp.end();
      await promise;
      clearTimeout(timer);
    }
    this.#free();
  }

  destroy(): void {
    this.#tcp.destroy();
  }

  reset(): void {
    this.#end({ kind: 'closed', detail: 'the connection was reset by the suite' });
    this.#tcp.resetAndDestroy();
  }

  #usableNow(): boolean {
    return !this.#freed && this.ended === undefined;
  }

  /** Drives handshake and reading as far as the octets at hand go. */
  #pump(): void {
    const lib = this.#lib;
    const { ssl } = this.#handle;
    if (!this.#usableNow()) return;
    if (!this.#established) {
      const result = lib.SSL_do_handshake(ssl);
      this.#flush();
      if (result === 1) this.#established = true;
      else if (this.#broken(result)) return;
    }
    const record = Buffer.alloc(RECORD);
    while (this.#established && this.#usableNow()) {
      const count = lib.SSL_read(ssl, record, RECORD);
      this.#flush();
      if (count <= 0) {
        this.#broken(count);
        break;
      }
      const octets = Buffer.from(record.subarray(0, count));
      if (this.#events === undefined) this.#early.push(octets);
      else this.#events.data(octets);
    }
    this.#onProgress?.();
  }

  /** Ends the connection if a result means that; false if OpenSSL just wants more octets. */
  #broken(result: number): boolean {
    const reason = this.#lib.SSL_get_error(this.#handle.ssl, result);
    if (reason === WANT_READ || reason === WANT_WRITE) return false;
    const text = opensslError(this.#lib);
    const alert = alertIn(text);
    if (reason === ZERO_RETURN) this.#end({ kind: 'closed', detail: 'the target sent close_notify' });
    else if (alert !== undefined)
      this.#end({ kind: 'tls-alert', alert, detail: `the target sent the TLS alert ${alert}` });
    else this.#end({ kind: this.#established ? 'closed' : 'tls-handshake', detail: `TLS failed: ${text}` });
    this.#tcp.end();
    return true;
  }

  #flush(): void {
    if (this.#freed) return;
    for (let size = this.#outgoing(); size > 0; size = this.#outgoing()) {
      const octets = Buffer.alloc(size);
      this.#lib.BIO_read(this.#handle.outgoing, octets, size);
      if (this.#tcp.writable) this.#tcp.write(octets);
    }
  }

  #outgoing(): number {
    return Number(this.#lib.BIO_ctrl_pending(this.#handle.outgoing));
  }

  async #progress(condition: () => boolean, timeoutMs: number): Promise<void> {
    if (condition() || this.ended !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#onProgress = () => {
      if (condition() || this.ended !== undefined) resolve();
    };
    await promise;
    clearTimeout(timer);
    this.#onProgress = undefined;
  }

  #end(ending: Ending): void {
    if (this.ended !== undefined) return;
    this.ended = ending;
    this.#events?.end(ending);
    this.#onProgress?.();
  }

  #free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#lib.SSL_free(this.#handle.ssl);
  }
}

/** OpenSSL takes a null pointer for no context at all; an empty buffer may become one. */
function padded(octets: Uint8Array): Buffer {
  return octets.length === 0 ? Buffer.alloc(1) : Buffer.from(octets);
}

/**
 * @throws {ConnectFailure} if there is no way to the target
 * @throws {Error} if the local port is taken
 */
export async function openTcp(options: ConnectOptions, started: number): Promise<Socket> {
  const { host, port, localPort, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const tcp = connectTcp({ host, port, noDelay: true, ...(localPort !== undefined && { localPort }) });
  try {
    await once(tcp, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    return tcp;
  } catch (error) {
    tcp.destroy();
    const failure = error instanceof Error ? error : new Error(String(error));
    if ('code' in failure && (failure.code === 'EADDRINUSE' || failure.code === 'EADDRNOTAVAIL'))
      throw failure;
    const ending: Ending =
      failure.name === 'AbortError'
        ? { kind: 'timeout', detail: `no TCP connection within ${timeoutMs} ms` }
        : endingOf(failure, 'handshake');
    throw new ConnectFailure(failureOf(ending, performance.now() - started));
  }
}
