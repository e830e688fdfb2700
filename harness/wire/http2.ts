import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from 'node:http2';
import {
  BODY_LIMIT,
  CannotSend,
  MAX_BODY,
  type Field,
  type Outcome,
  type WireRequest,
} from './connection.ts';
import { count } from './counters.ts';
import { GatheringPane } from './gathering-pane.ts';
import { endingOf, failureOf, type Ending } from './tls-failure.ts';
import type { TlsConnection } from './tls-connection.ts';

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;

/** RFC 9113 §7, by code. */
const ERROR_CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

function nameOf(code: number): string {
  return ERROR_CODES[code] ?? `error ${code}`;
}

/** Duplicates of single-valued fields may be sent; Node's type declarations do not know that option yet. */
const SESSION = { settings: { enablePush: false }, strictSingleValueFields: false };

/** How long streams may go on after the suite has begun to close the connection. */
const CLOSE_TIMEOUT_MS = 250;

/** HTTP/2 on a TLS connection that agreed to it: streams run in parallel. */
export class Http2 {
  readonly #tls: TlsConnection;
  readonly #authority: string;
  readonly #session: ClientHttp2Session;
  readonly #pane: GatheringPane | undefined;
  /** Why no stream can be opened any more. */
  #ending: Ending | undefined;

  /**
   * @param authority the default `:authority`
   * @param gathersWrites whether an abandoned stream's frames are to go out in one write
   */
  constructor(tls: TlsConnection, authority: string, gathersWrites = false) {
    this.#tls = tls;
    this.#authority = authority;
    this.#pane = gathersWrites ? new GatheringPane(tls.socket) : undefined;
    const socket = this.#pane?.stream ?? tls.socket;
    this.#session = connectHttp2(`https://${authority}`, { createConnection: () => socket, ...SESSION });
    this.#session.on('error', (error: Error) => {
      this.#ending ??= tls.ending ?? sessionEnding(error);
    });
    this.#session.on('goaway', (code) => {
      this.#ending = { kind: 'stream-reset', detail: `the target sent GOAWAY (${nameOf(code)})` };
    });
    this.#session.on('close', () => {
      this.#ending ??= tls.ending ?? { kind: 'closed', detail: 'the target ended the connection' };
    });
  }

  get open(): boolean {
    return this.#ending === undefined && !this.#session.closed && !this.#session.destroyed;
  }

  send(request: WireRequest, timeoutMs: number): Promise<Outcome> {
    const started = performance.now();
    const since = (): number => performance.now() - started;
    if (!this.open) return Promise.resolve(failureOf(this.#reason(), 0));
    const { body, trailers } = request;
    const stream = this.#request(
      request,
      trailers === undefined && request.protocol === undefined && (body === undefined || body.length === 0),
    );
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const informational: number[] = [];
    const kept: Buffer[] = [];
    let keptOctets = 0;
    let octets = 0;
    let head: { status: number; fields: readonly Field[] } | undefined;
    let failure: Error | undefined;
    let whole = false;
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const giveUp = (ending: Ending): void => {
      settle(failureOf(ending, since()));
      if (!stream.destroyed) stream.close(NGHTTP2_CANCEL);
    };
    const timer = setTimeout(() => {
      giveUp({
        kind: 'timeout',
        detail: `${head === undefined ? 'no response' : 'no end of the response'} within ${timeoutMs} ms`,
      });
    }, timeoutMs);
    stream.on('headers', (headers) => {
      informational.push(Number(headers[':status']));
    });
    stream.on('response', (headers, _flags, raw: unknown) => {
      head = { status: Number(headers[':status']), fields: fieldsOf(raw) };
      if (request.protocol === undefined) return;
      // What follows is a tunnel that nobody would end, or the content of a refusal on a stream left open for one.
      const nothing = { body: Buffer.alloc(0), bodyTruncated: false };
      settle({ type: 'response', ...head, ...nothing, informational, durationMs: since() });
      stream.close(NGHTTP2_CANCEL);
    });
    stream.on('data', (chunk: Buffer) => {
      octets += chunk.length;
      const room = MAX_BODY - keptOctets;
      if (room > 0) kept.push(chunk.subarray(0, room));
      keptOctets += Math.max(0, Math.min(room, chunk.length));
      if (octets > BODY_LIMIT)
        giveUp({ kind: 'endless-response', detail: `more than ${BODY_LIMIT} octets of body` });
    });
    stream.on('end', () => {
      whole = true;
    });
    stream.on('error', (error) => {
      failure = error;
      // The connection is over then, which its session tells of only after its streams.
      if (isLibrarys(error)) this.#ending ??= this.#tls.ending ?? sessionEnding(error);
    });
    // Not at 'end', which comes for a stream that was reset in mid response too.
    stream.on('close', () => {
      if (!whole || head === undefined || failure !== undefined || stream.rstCode !== NGHTTP2_NO_ERROR) {
        settle(failureOf(this.#streamEnding(stream, failure), since()));
        return;
      }
      const content = Buffer.concat(kept);
      const bodyTruncated = octets > keptOctets;
      settle({ type: 'response', ...head, body: content, bodyTruncated, informational, durationMs: since() });
    });
    if (trailers !== undefined)
      stream.on('wantTrailers', () => {
        stream.sendTrailers(grouped(trailers));
      });
    if (!stream.writableEnded && request.protocol === undefined) stream.end(body);
    return promise;
  }

  async abandon(request: WireRequest): Promise<void> {
    if (!this.open) return;
    this.#pane?.hold();
    const stream = this.#request(request, false);
    stream.on('error', () => {
      // The reset that is asked for here comes back as an error of the stream.
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.once('close', resolve);
    // A reset in the same turn would make nghttp2 drop the HEADERS unsent; they are written before immediates run.
    setImmediate(() => {
      stream.close(NGHTTP2_CANCEL);
    });
    await promise;
    this.#pane?.release();
  }

  /** Ends with GOAWAY and close_notify; streams that are still open are given up after a short while. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#ending ??= { kind: 'closed', detail: 'the connection was closed by the suite' };
    if (!session.destroyed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
      session.once('close', resolve);
      session.close();
      await promise;
      clearTimeout(timer);
      if (!session.destroyed) session.destroy();
    }
    await this.#tls.close();
  }

  #request(request: WireRequest, endStream: boolean): ClientHttp2Stream {
    const { method, target, fields, authority = this.#authority, trailers, protocol } = request;
    if (protocol !== undefined && !this.#session.remoteSettings.enableConnectProtocol)
      throw new CannotSend('the target does not offer extended CONNECT (RFC 8441 §3)');
    const head: Field[] = [
      [':method', method],
      ...(protocol === undefined ? [] : [[':protocol', protocol] as const]),
      [':scheme', 'https'],
      [':authority', authority],
      [':path', target],
      ...fields,
    ];
    const bad = fields.find(([name, value]) => name === '' || !isSendable(value));
    if (bad !== undefined) throw new CannotSend(`not possible on HTTP/2: the field ${JSON.stringify(bad)}`);
    try {
      const stream = this.#session.request(head.flat(), {
        endStream,
        waitForTrailers: trailers !== undefined,
      });
      count('requests');
      return stream;
    } catch (error) {
      throw new CannotSend(
        `not possible on HTTP/2: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }

  #streamEnding(stream: ClientHttp2Stream, error: Error | undefined): Ending {
    if (this.#tls.ending !== undefined) return this.#tls.ending;
    if (this.#ending !== undefined) return this.#ending;
    const code = stream.rstCode ?? NGHTTP2_NO_ERROR;
    if (!this.#session.destroyed || (code !== NGHTTP2_NO_ERROR && code !== NGHTTP2_CANCEL))
      // Who ended it cannot be told: the library resets streams too, whose answer breaks a rule of HTTP/2.
      return { kind: 'stream-reset', detail: `the stream ended with ${nameOf(code)}` };
    return error === undefined ? this.#reason() : sessionEnding(error);
  }

  #reason(): Ending {
    return this.#ending ?? this.#tls.ending ?? { kind: 'closed', detail: 'the target ended the connection' };
  }
}

/** Node ends a value at NUL, and cuts a character above U+00FF down to another one. */
function isSendable(value: string): boolean {
  return !value.includes('\0') && Buffer.from(value, 'latin1').toString('latin1') === value;
}

/** Whether it is nghttp2 that gave the connection up, over something that HTTP/2 does not allow. */
function isLibrarys(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_HTTP2_ERROR';
}

function sessionEnding(error: Error): Ending {
  if (isLibrarys(error)) return { kind: 'garbage', detail: `not valid HTTP/2: ${error.message}` };
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_HTTP2_SESSION_ERROR')
    return { kind: 'stream-reset', detail: `the HTTP/2 connection broke: ${error.message}` };
  return endingOf(error, 'established');
}

/** Fields from Node's flat list, without pseudo-header fields. */
function fieldsOf(raw: unknown): readonly Field[] {
  const fields: Field[] = [];
  if (!Array.isArray(raw)) return fields;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name, value] = [String(raw[i]), String(raw[i + 1])];
    if (!name.startsWith(':')) fields.push([name, value]);
  }
  return fields;
}

function grouped(fields: readonly Field[]): OutgoingHttpHeaders {
  const names = [...new Set(fields.map(([name]) => name))];
  return Object.fromEntries(
    names.map((name) => [name, fields.filter(([key]) => key === name).map(([, value]) => value)]),
  );
}
