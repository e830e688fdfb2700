import type { TLSSocket } from 'node:tls';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Proofs } from '../../client/proof-source.ts';
import { ResponseReader } from './response-reader.ts';

/** The state in which an exchange has left its connection. */
export interface Leftover {
  /** Whether the whole request was written. */
  readonly isSent: boolean;
  /** Whether the whole response was read. */
  readonly isRead: boolean;
  /** Whether octets have come that belong to no response. */
  readonly hasMore: boolean;
  /** Whether the server switched to another protocol. */
  readonly isSwitched: boolean;
  /** Whether the server said that it ends the connection. */
  readonly isLast: boolean;
}

/** A request as it is to be written. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Names and values in turn, with the proof. */
  readonly fields: readonly string[];
  readonly body: Buffer | Readable | null;
  /** How long the body waits for 100 (Continue), in milliseconds; 0: not at all. */
  readonly awaitsContinueMs: number;
  /** Fields of the trailer section, as they are when the body has been sent: names and values in turn. */
  readonly trailers: () => readonly string[];
  /** Whether a body that breaks off is ended as if it were whole. */
  readonly endsBrokenBody: boolean;
}

function isReadable(body: Buffer | Readable): body is Readable {
  return !Buffer.isBuffer(body);
}

function announcesLength(fields: readonly string[]): boolean {
  return fields.some((text, index) => index % 2 === 0 && /^content-length$/i.test(text));
}

function linesOf(fields: readonly string[]): string {
  return fields.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
}

/** One TLS connection on which HTTP/1.1 is spoken by hand, one request at a time. */
export class HandmadeConnection {
  readonly socket: TLSSocket;
  readonly proofs: Proofs;
  #received: (octets: Buffer) => void = () => {};
  #ended: () => void = () => {};
  /** What has come while nobody read. */
  #unread: Buffer = Buffer.alloc(0);
  #isReading = false;

  constructor(socket: TLSSocket, proofs: Proofs) {
    this.socket = socket;
    this.proofs = proofs;
    socket.on('data', (octets: Buffer) => {
      if (this.#isReading) this.#received(octets);
      else this.#unread = Buffer.concat([this.#unread, octets]);
    });
    socket.on('error', () => {});
    socket.on('end', () => this.#ended());
    socket.on('close', () => this.#ended());
  }

  get isOpen(): boolean {
    return this.socket.writable && !this.socket.readableEnded && !this.socket.destroyed;
  }

  /** Whether octets have come since the last exchange. */
  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /** Sends a request and tells a handler of its response. @returns the state in which the connection is left */
  exchange(request: Outgoing, handler: Dispatcher.DispatchHandler): Promise<Leftover> {
    const { promise, resolve } = Promise.withResolvers<Leftover>();
    const continued = Promise.withResolvers<void>();
    const state = { isSent: false, isRead: false, hasMore: false, isSwitched: false, isLast: false };
    let isDone = false;
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      this.#isReading = false;
      this.#unread = reader.rest;
      continued.resolve();
      resolve({ ...state, isRead: reader.isOver, hasMore: reader.isOver && reader.rest.length > 0 });
    };
    const fail = (error: Error): void => {
      if (isDone) return;
      finish();
      handler.onResponseError?.(controller, error);
    };
    const controller: Dispatcher.DispatchController = {
      aborted: false,
      paused: false,
      reason: null,
      abort: (reason) => {
        const isChunked = request.body !== null && !announcesLength(request.fields);
        if (request.endsBrokenBody && isChunked && !state.isSent) this.socket.end('0\r\n\r\n');
        fail(reason);
      },
      pause: () => {},
      resume: () => {},
    };
    const reader = new ResponseReader(request.method, {
      head({ status, message, headers }) {
        if (status === 100) continued.resolve();
        if (status < 200 && status !== 101) return false;
        state.isSwitched = status === 101;
        state.isLast = /\bclose\b/i.test(String(headers['connection'] ?? ''));
        handler.onResponseStart?.(controller, status === 101 ? 200 : status, headers, message);
        return true;
      },
      data: (octets) => handler.onResponseData?.(controller, octets),
      end() {
        finish();
        handler.onResponseEnd?.(controller, {});
      },
    });
    const read = (octets: Buffer): void => {
      try {
        reader.push(octets);
      } catch (error) {
        fail(error as Error);
      }
    };
    handler.onRequestStart?.(controller, {});
    this.#isReading = true;
    this.#received = read;
    this.#ended = () => {
      if (!isDone && !reader.close()) fail(new Error('the connection ended'));
    };
    this.#write(request, continued.promise).then(
      () => (state.isSent = true),
      (error: unknown) => fail(error as Error),
    );
    if (this.#unread.length > 0) read(this.#unread);
    return promise;
  }

  async #write(request: Outgoing, continued: Promise<void>): Promise<void> {
    const { method, path, host, fields, body, awaitsContinueMs, trailers } = request;
    const length = announcesLength(fields);
    const framing = body === null || length ? '' : 'Transfer-Encoding: chunked\r\n';
    this.socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${linesOf(fields)}${framing}\r\n`,
      'latin1',
    );
    if (body === null) return;
    if (awaitsContinueMs > 0) {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(awaitsContinueMs, 2 ** 31 - 1)).unref();
      await Promise.race([continued, late]);
      clearTimeout(timer);
    }
    const parts = isReadable(body) ? (body as AsyncIterable<Buffer>) : [body];
    for await (const part of parts) {
      if (!length) this.socket.write(`${part.length.toString(16)}\r\n`);
      this.socket.write(part);
      if (!length) this.socket.write('\r\n');
    }
    if (!length) this.socket.write(`0\r\n${linesOf(trailers())}\r\n`, 'latin1');
  }
}
