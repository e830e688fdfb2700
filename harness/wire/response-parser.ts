import { BODY_LIMIT, MAX_BODY, type Field } from './connection.ts';
import { OctetQueue } from './octet-queue.ts';

/** A final response as it was read. */
export interface ParsedResponse {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Buffer;
  readonly bodyTruncated: boolean;
  readonly informational: readonly number[];
  /** Lower-case names of fields that stood on several lines (obs-fold). */
  readonly folded: readonly string[];
  /** Whether another response may follow on this connection. */
  readonly keepAlive: boolean;
}

/** The octets are not a response, or there are too many of them. */
export class BadResponse extends Error {
  readonly kind: 'garbage' | 'endless-response';
  constructor(kind: 'garbage' | 'endless-response', message: string) {
    super(message);
    this.name = 'BadResponse';
    this.kind = kind;
  }
}

type State = 'status' | 'fields' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/;

/** The first octets of something unreadable, made fit to show. */
export function glimpse(octets: Uint8Array, length = 48): string {
  const text = Buffer.from(octets.subarray(0, length)).toString('latin1');
  return JSON.stringify(text) + (octets.length > length ? '…' : '');
}

/**
 * A strict reader of HTTP/1.1 responses (RFC 9112), fed with octets as they come. It trusts nothing: lines end in CRLF,
 * framing must be unambiguous, and everything is bounded by {@link BODY_LIMIT}.
 */
export class ResponseParser {
  readonly #queue = new OctetQueue();
  #state: State = 'status';
  #headOctets = 0;
  #minor = 1;
  #status = 0;
  #fields: [string, string][] = [];
  #trailers: [string, string][] = [];
  #informational: number[] = [];
  readonly #folded = new Set<string>();
  #kept: Buffer[] = [];
  #keptOctets = 0;
  #bodyOctets = 0;
  #remaining = 0;
  #keepAlive = true;

  /** Octets that came but belong to no response read so far. */
  get pending(): Buffer {
    return this.#queue.peek();
  }

  push(octets: Uint8Array): void {
    this.#queue.push(octets);
  }

  /** Whether a response has begun that is not yet whole. */
  get midway(): boolean {
    return this.#state !== 'status' || this.#queue.length > 0 || this.#informational.length > 0;
  }

  /**
   * The next final response, if all of it is there.
   *
   * @param method of the request: HEAD and CONNECT have responses without a body (RFC 9112 §6.3)
   * @throws {BadResponse}
   */
  next(method: string): ParsedResponse | undefined {
    for (;;) {
      switch (this.#state) {
        case 'status': {
          const line = this.#line();
          if (line === undefined) return undefined;
          const [, minor, status] = STATUS_LINE.exec(line) ?? [];
          if (minor === undefined)
            throw new BadResponse('garbage', `not a status line: ${glimpse(Buffer.from(line, 'latin1'))}`);
          this.#minor = Number(minor);
          this.#status = Number(status);
          this.#state = 'fields';
          break;
        }
        case 'fields': {
          const line = this.#line();
          if (line === undefined) return undefined;
          if (line !== '') this.#field(line);
          else if (this.#status < 200 && this.#status !== 101) {
            this.#informational.push(this.#status);
            this.#fields = [];
            this.#folded.clear();
            this.#state = 'status';
          } else if (!this.#frame(method)) return this.#finish();
          break;
        }
        case 'body': {
          if (!this.#take()) return undefined;
          return this.#finish();
        }
        case 'chunk-size': {
          const line = this.#line();
          if (line === undefined) return undefined;
          const size = CHUNK_SIZE.exec(line)?.[1];
          if (size === undefined)
            throw new BadResponse('garbage', `not a chunk size: ${glimpse(Buffer.from(line, 'latin1'))}`);
          this.#remaining = Number.parseInt(size, 16);
          this.#state = this.#remaining === 0 ? 'trailers' : 'chunk';
          break;
        }
        case 'chunk': {
          if (!this.#take()) return undefined;
          this.#state = 'chunk-end';
          break;
        }
        case 'chunk-end': {
          const line = this.#line();
          if (line === undefined) return undefined;
          if (line !== '')
            throw new BadResponse(
              'garbage',
              `a chunk is longer than its size: ${glimpse(Buffer.from(line, 'latin1'))}`,
            );
          this.#state = 'chunk-size';
          break;
        }
        case 'trailers': {
          const line = this.#line();
          if (line === undefined) return undefined;
          if (line === '') return this.#finish();
          addField(this.#trailers, line);
          break;
        }
        case 'until-close': {
          this.#remaining = Number.POSITIVE_INFINITY;
          this.#take();
          return undefined;
        }
      }
    }
  }

  /** What the end of the connection completes: a body that lasts until then. `undefined` where a response was cut off. */
  end(): ParsedResponse | undefined {
    return this.#state === 'until-close' ? this.#finish() : undefined;
  }

  #field(line: string): void {
    if (addField(this.#fields, line) === 'folded')
      this.#folded.add(this.#fields.at(-1)?.[0].toLowerCase() ?? '');
  }

  #line(): string | undefined {
    const before = this.#queue.length;
    const line = this.#queue.line();
    if (this.#headOctets + (line === undefined ? before : before - this.#queue.length) > BODY_LIMIT)
      throw new BadResponse('endless-response', `more than ${BODY_LIMIT} octets of header`);
    if (line === undefined) return undefined;
    this.#headOctets += before - this.#queue.length;
    if (!line.endsWith('\r'))
      throw new BadResponse(
        'garbage',
        `a line does not end in CRLF: ${glimpse(Buffer.from(line, 'latin1'))}`,
      );
    return line.slice(0, -1);
  }

  /** Decides how the body is framed (RFC 9112 §6.3); false when there is none. */
  #frame(method: string): boolean {
    const connection = tokens(this.#fields, 'connection');
    this.#keepAlive = this.#minor === 1 ? !connection.includes('close') : connection.includes('keep-alive');
    const status = this.#status;
    if (status === 101 || (method === 'CONNECT' && status < 300)) {
      this.#keepAlive = false;
      return false;
    }
    if (method === 'HEAD' || status === 204 || status === 304) return false;
    const codings = tokens(this.#fields, 'transfer-encoding');
    const lengths = new Set(tokens(this.#fields, 'content-length'));
    if (codings.length > 0) {
      if (lengths.size > 0) throw new BadResponse('garbage', 'both Transfer-Encoding and Content-Length');
      this.#state = codings.at(-1) === 'chunked' ? 'chunk-size' : 'until-close';
    } else if (lengths.size > 0) {
      const [length = ''] = lengths;
      if (lengths.size > 1 || !/^\d{1,15}$/.test(length))
        throw new BadResponse('garbage', `Content-Length is ${[...lengths].join(', ')}`);
      this.#remaining = Number(length);
      this.#state = 'body';
    } else this.#state = 'until-close';
    return true;
  }

  /** Moves body octets out of the queue; true when the current part is whole. */
  #take(): boolean {
    const octets = this.#queue.take(this.#remaining);
    this.#remaining -= octets.length;
    this.#bodyOctets += octets.length;
    if (this.#bodyOctets > BODY_LIMIT)
      throw new BadResponse('endless-response', `more than ${BODY_LIMIT} octets of body`);
    const room = MAX_BODY - this.#keptOctets;
    if (room > 0 && octets.length > 0) {
      this.#kept.push(octets.subarray(0, room));
      this.#keptOctets += Math.min(room, octets.length);
    }
    return this.#remaining === 0;
  }

  #finish(): ParsedResponse {
    const response: ParsedResponse = {
      status: this.#status,
      fields: this.#fields,
      body: Buffer.concat(this.#kept),
      bodyTruncated: this.#bodyOctets > this.#keptOctets,
      informational: this.#informational,
      folded: [...this.#folded],
      keepAlive: this.#keepAlive && this.#state !== 'until-close',
    };
    this.#state = 'status';
    this.#headOctets = 0;
    this.#fields = [];
    this.#trailers = [];
    this.#informational = [];
    this.#folded.clear();
    this.#kept = [];
    this.#keptOctets = 0;
    this.#bodyOctets = 0;
    this.#remaining = 0;
    return response;
  }
}

function addField(fields: [string, string][], line: string): 'folded' | 'whole' {
  const previous = fields.at(-1);
  if (/^[ \t]/.test(line) && previous !== undefined) {
    // obs-fold: a user agent replaces it by a space (RFC 9112 §5.2)
    previous[1] += ` ${line.trim()}`;
    return 'folded';
  }
  const [, name, value] = FIELD_LINE.exec(line) ?? [];
  if (name === undefined || value === undefined || /[\0\r]/.test(value))
    throw new BadResponse('garbage', `not a header field: ${glimpse(Buffer.from(line, 'latin1'))}`);
  fields.push([name, value]);
  return 'whole';
}

/** The members of a list-valued field, lower-case. */
function tokens(fields: readonly Field[], name: string): readonly string[] {
  return fields
    .filter(([key]) => key.toLowerCase() === name)
    .flatMap(([, value]) => value.split(','))
    .map((member) => member.trim().toLowerCase());
}
