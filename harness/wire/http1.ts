import { CannotSend, type Field, type Outcome, type WireRequest } from './connection.ts';
import { count } from './counters.ts';
import type { OctetChannel } from './octet-channel.ts';
import { BadResponse, glimpse, ResponseParser } from './response-parser.ts';
import { failureOf, type Ending } from './tls-failure.ts';

interface Waiting {
  readonly method: string;
  readonly started: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (outcome: Outcome) => void;
}

/** HTTP/1.1 on a secured channel: the octets go out exactly as told, responses are read in order. */
export class Http1 {
  readonly #channel: OctetChannel;
  readonly #authority: string;
  readonly #parser = new ResponseParser();
  readonly #waiting: Waiting[] = [];
  #ending: Ending | undefined;

  /** @param authority the default `Host` */
  constructor(channel: OctetChannel, authority: string) {
    this.#channel = channel;
    this.#authority = authority;
    channel.listen({
      data: (octets) => {
        if (this.#ending !== undefined && this.#waiting.length === 0) return;
        this.#parser.push(octets);
        this.#read();
      },
      end: (ending) => {
        this.#atEnd(ending);
      },
    });
  }

  /** False once the connection has ended, or will after the responses that are still awaited. */
  get open(): boolean {
    return this.#ending === undefined;
  }

  send(request: WireRequest, timeoutMs: number): Promise<Outcome> {
    return this.#exchange(request.method, encodeRequest(request, this.#authority), timeoutMs);
  }

  sendOctets(octets: Uint8Array, timeoutMs: number): Promise<Outcome> {
    const first = Buffer.from(octets.subarray(0, 32)).toString('latin1');
    return this.#exchange(/^[^ \r\n]*/.exec(first)?.[0] ?? '', octets, timeoutMs);
  }

  #exchange(method: string, octets: Uint8Array, timeoutMs: number): Promise<Outcome> {
    const started = performance.now();
    if (this.#ending !== undefined) return Promise.resolve(failureOf(this.#ending, 0));
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => {
      const seen = this.#parser.midway
        ? `the response stopped after ${glimpse(this.#parser.pending)}`
        : 'no response';
      this.#fail({ kind: 'timeout', detail: `${seen} within ${timeoutMs} ms` });
    }, timeoutMs);
    this.#waiting.push({ method, started, timer, resolve });
    if (octets.length > 0) {
      count('requests');
      this.#channel.write(octets);
    }
    this.#read();
    return promise;
  }

  #read(): void {
    try {
      for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
        const response = this.#parser.next(head.method);
        if (response === undefined) return;
        this.#waiting.shift();
        clearTimeout(head.timer);
        const { keepAlive, ...rest } = response;
        if (!keepAlive)
          this.#ending ??= { kind: 'closed', detail: 'the target announced the end of this connection' };
        head.resolve({ type: 'response', ...rest, durationMs: performance.now() - head.started });
      }
      const rest = this.#parser.pending;
      if (rest.length > 0)
        this.#fail({ kind: 'garbage', detail: `octets that answer no request: ${glimpse(rest)}` });
    } catch (error) {
      if (!(error instanceof BadResponse)) throw error;
      this.#fail({ kind: error.kind, detail: error.message });
    }
  }

  #atEnd(ending: Ending): void {
    const last = ending.kind === 'closed' ? this.#parser.end() : undefined;
    const head = this.#waiting[0];
    if (last !== undefined && head !== undefined) {
      this.#waiting.shift();
      clearTimeout(head.timer);
      const { keepAlive: _, ...rest } = last;
      head.resolve({ type: 'response', ...rest, durationMs: performance.now() - head.started });
    }
    const midway = this.#parser.midway ? ' in the middle of a response' : '';
    this.#settle({ ...ending, detail: ending.detail + midway });
  }

  /** Gives up on the connection: after this nothing that comes can be told apart. */
  #fail(ending: Ending): void {
    this.#settle(ending);
    this.#channel.destroy();
  }

  #settle(ending: Ending): void {
    this.#ending = ending;
    for (const { timer, resolve, started } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      resolve(failureOf(ending, performance.now() - started));
    }
  }
}

/**
 * A request's octets on HTTP/1.1 (RFC 9112 §2.1). Nothing is checked or escaped.
 *
 * @param authority for `Host`, unless the request has its own
 * @throws {CannotSend} for a character that is not one octet (above U+00FF)
 */
export function encodeRequest(request: WireRequest, authority: string): Buffer {
  const { method, target, fields, body, trailers, version = 'HTTP/1.1' } = request;
  const has = (name: string): boolean => fields.some(([key]) => key.toLowerCase() === name);
  const head: Field[] = [...fields];
  if (!has('host')) head.unshift(['Host', request.authority ?? authority]);
  const chunked = trailers !== undefined;
  if (chunked && !has('transfer-encoding')) head.push(['Transfer-Encoding', 'chunked']);
  if (!chunked && body !== undefined && !has('content-length') && !has('transfer-encoding'))
    head.push(['Content-Length', String(body.length)]);
  const start = octetsOf(`${method} ${target} ${version}\r\n${lines(head)}\r\n`);
  const content = body ?? new Uint8Array();
  if (!chunked) return Buffer.concat([start, content]);
  const chunk =
    content.length === 0 ? [] : [octetsOf(`${content.length.toString(16)}\r\n`), content, octetsOf('\r\n')];
  return Buffer.concat([start, ...chunk, octetsOf(`0\r\n${lines(trailers)}\r\n`)]);
}

function lines(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

function octetsOf(text: string): Buffer {
  const octets = Buffer.from(text, 'latin1');
  if (octets.toString('latin1') !== text)
    throw new CannotSend('a character above U+00FF is not one octet; encode it before sending');
  return octets;
}
