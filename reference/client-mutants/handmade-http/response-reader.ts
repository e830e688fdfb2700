/** The head of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly message: string;
  readonly headers: Record<string, string | string[]>;
}

/** What a reader tells of a response. */
export interface ResponseEvents {
  /** A head, interim ones too. @returns whether it is the last head */
  head(head: ResponseHead): boolean;
  data(octets: Buffer): void;
  end(): void;
}

const END_OF_HEAD = '\r\n\r\n';

function headOf(text: string): ResponseHead {
  const [line = '', ...rest] = text.split('\r\n');
  const [, status, message = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(line) ?? [];
  if (status === undefined) throw new Error('no status line');
  const headers: Record<string, string | string[]> = {};
  for (const field of rest) {
    const colon = field.indexOf(':');
    if (colon < 1) throw new Error('no field');
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return { status: Number(status), message, headers };
}

/** Reads the response to one request (RFC 9112 §4, §6.3, §7.1), and leaves alone what comes after it. */
export class ResponseReader {
  #pending: Buffer = Buffer.alloc(0);
  /** Octets of the body, or of a chunk, that are still to come; `undefined` before the head, and between chunks. */
  #left: number | undefined;
  #isChunked = false;
  #hasHead = false;
  #isOver = false;
  readonly #method: string;
  readonly #events: ResponseEvents;

  constructor(method: string, events: ResponseEvents) {
    this.#method = method;
    this.#events = events;
  }

  /** Whether the whole response has been read. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What has come and is not part of it, or not yet. */
  get rest(): Buffer {
    return this.#pending;
  }

  /** @throws {Error} for what is not a response */
  push(octets: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, octets]);
    while (!this.#isOver && this.#step());
  }

  /** The connection has ended: so does a body without a length. @returns whether the response is whole */
  close(): boolean {
    if (this.#hasHead && !this.#isOver && this.#left === Number.POSITIVE_INFINITY) this.#end();
    return this.#isOver;
  }

  #step(): boolean {
    if (!this.#hasHead) return this.#readHead();
    if (this.#left !== undefined) return this.#readBody(this.#left);
    return this.#readChunk();
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf(END_OF_HEAD);
    if (end < 0) return false;
    const head = headOf(this.#pending.toString('latin1', 0, end));
    this.#pending = this.#pending.subarray(end + END_OF_HEAD.length);
    const isLast = this.#events.head(head);
    if (!isLast) return true;
    this.#hasHead = true;
    const { 'content-length': length, 'transfer-encoding': coding } = head.headers;
    if (this.#method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304)
      this.#end();
    else if (coding !== undefined) this.#isChunked = true;
    else if (length === undefined) this.#left = Number.POSITIVE_INFINITY;
    else if (Number(length) > 0) this.#left = Number(length);
    else this.#end();
    return true;
  }

  #readBody(left: number): boolean {
    const part = this.#pending.subarray(0, left);
    if (part.length === 0) return false;
    this.#pending = this.#pending.subarray(part.length);
    this.#left = left - part.length;
    this.#events.data(part);
    if (this.#left > 0) return false;
    if (this.#isChunked) this.#left = undefined;
    else this.#end();
    return true;
  }

  #readChunk(): boolean {
    const [line, size] =
      /^(?:\r\n)?([\da-f]+)[^\r\n]*\r\n/i.exec(this.#pending.toString('latin1', 0, 64)) ?? [];
    if (line === undefined || size === undefined) return false;
    const length = Number.parseInt(size, 16);
    // Trailers are not read here: an end without them is all that the servers of this suite send.
    const after = length === 0 ? line.length + 2 : line.length;
    if (this.#pending.length < after) return false;
    this.#pending = this.#pending.subarray(after);
    if (length === 0) this.#end();
    else this.#left = length;
    return true;
  }

  #end(): void {
    this.#isOver = true;
    this.#events.end();
  }
}
