import {
  CannotSend,
  DEFAULT_TIMEOUT_MS,
  type Field,
  type Outcome,
  type WireRequest,
} from '../../wire/connection.ts';
import { encodeRequest, Http1 } from '../../wire/http1.ts';
import { failureOf, type Ending } from '../../wire/tls-failure.ts';
import { TcpChannel } from './tcp-channel.ts';

/** A body whose second part is held back until a promise resolves; sent chunked, unless its length is announced. */
export interface PausedBody {
  readonly length?: number;
  readonly first: Uint8Array;
  readonly rest: Promise<Uint8Array>;
}

/** An HTTP/1.1 request to the client under test, octet for octet as told (see `WireRequest`). */
export interface AgentRequest extends Omit<WireRequest, 'body'> {
  readonly body?: Uint8Array | PausedBody;
  /** Ends the connection on which the request is under way: the agent gives up. */
  readonly signal?: AbortSignal;
}

/** What came of a request, and how it went out. */
export type AgentOutcome = Outcome & {
  /** 1, 2, … in the order of the agent's connections: the one that the outcome came on; 0: there was none. */
  readonly connection: number;
  /** 2 where the request was sent once more, because the target had closed the idle connection. */
  readonly attempts: number;
};

/** Where the client under test listens (`TSBT_LISTEN`). */
export interface AgentSettings {
  readonly host: string;
  readonly port: number;
}

interface PooledConnection {
  readonly number: number;
  readonly channel: TcpChannel;
  readonly http: Http1;
  idleSince: number;
}

/** Methods that may be sent a second time (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** A request that must not be sent twice goes on a connection that was in use this short a time ago, or on a new one. */
const FRESH_MS = 1000;

/**
 * The agent that the suite plays in front of a client under test: plain HTTP/1.1 with a connection pool of its own.
 * Requests under way at the same time go on connections of their own. Released with `await using`.
 */
export class Agent implements AsyncDisposable {
  readonly #settings: AgentSettings;
  readonly #idle: PooledConnection[] = [];
  readonly #open = new Set<TcpChannel>();
  #connections = 0;
  #closed = false;

  constructor(settings: AgentSettings) {
    this.#settings = settings;
  }

  /** How many connections it has made. */
  get connections(): number {
    return this.#connections;
  }

  /**
   * Sends a request and reads its response, on a free connection where there is one. What the target does is an outcome,
   * never an exception. If it has closed the connection before anything of a response came, a request of an idempotent
   * method is sent once more, on a new connection.
   *
   * @throws {CannotSend} for a character that is not one octet, or a paused body with trailers
   */
  async send(request: AgentRequest, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<AgentOutcome> {
    const started = performance.now();
    const octets = this.#encode(request);
    const repeatable = IDEMPOTENT.has(request.method) && !isPaused(request.body);
    const pooled = this.#take(repeatable);
    if (pooled !== undefined) {
      const { received } = pooled.channel;
      const outcome = await this.#exchange(pooled, request, octets, timeoutMs);
      const nothing =
        outcome.type === 'failure' &&
        (outcome.kind === 'closed' || outcome.kind === 'reset') &&
        pooled.channel.received === received;
      if (!nothing || !repeatable || request.signal?.aborted === true)
        return { ...outcome, connection: pooled.number, attempts: 1 };
    }
    const attempts = pooled === undefined ? 1 : 2;
    const left = Math.max(1, timeoutMs - (performance.now() - started));
    const fresh = await this.#connect(left);
    if ('kind' in fresh) return { ...failureOf(fresh, performance.now() - started), connection: 0, attempts };
    const outcome = await this.#exchange(
      fresh,
      request,
      octets,
      Math.max(1, timeoutMs - (performance.now() - started)),
    );
    return { ...outcome, connection: fresh.number, attempts };
  }

  /** Ends the idle connections: the next request goes on a new one. */
  async forget(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ channel }) => channel.close()));
  }

  /** Ends all connections; requests under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#idle.length = 0;
    await Promise.all([...this.#open].map((channel) => channel.close()));
  }

  #encode(request: AgentRequest): Buffer {
    const { body, ...head } = request;
    const { host, port } = this.#settings;
    const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    if (!isPaused(body)) return encodeRequest({ ...head, ...(body && { body }) }, authority);
    if (head.trailers !== undefined) throw new CannotSend('a paused body has no trailers');
    const { length, first } = body;
    const framing: Field =
      length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(length)];
    const octets = encodeRequest({ ...head, fields: [...head.fields, framing] }, authority);
    return Buffer.concat([octets, length === undefined ? chunkOf(first) : first]);
  }

  /** The connection that was in use last, if it may take such a request. */
  #take(repeatable: boolean): PooledConnection | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      const young = performance.now() - last.idleSince < FRESH_MS;
      if (last.channel.ended === undefined && last.http.open && (repeatable || young)) return last;
      void last.channel.close();
    }
    return undefined;
  }

  async #connect(timeoutMs: number): Promise<PooledConnection | Ending> {
    const { host, port } = this.#settings;
    const channel = await TcpChannel.open(host, port, timeoutMs);
    if (!(channel instanceof TcpChannel)) return channel;
    if (this.#closed) {
      channel.destroy();
      return { kind: 'closed', detail: 'the agent has been closed' };
    }
    this.#open.add(channel);
    this.#connections += 1;
    return { number: this.#connections, channel, http: new Http1(channel, `${host}:${port}`), idleSince: 0 };
  }

  async #exchange(
    connection: PooledConnection,
    request: AgentRequest,
    octets: Buffer,
    timeoutMs: number,
  ): Promise<Outcome> {
    const { channel, http } = connection;
    const giveUp = (): void => {
      channel.destroy();
    };
    request.signal?.addEventListener('abort', giveUp);
    const sending = http.sendOctets(octets, timeoutMs);
    const whole = isPaused(request.body) ? this.#sendRest(channel, request.body) : undefined;
    if (request.signal?.aborted === true) giveUp();
    const outcome = await sending;
    request.signal?.removeEventListener('abort', giveUp);
    // A response that came before the request's end leaves nothing to send the rest for.
    const sent = whole === undefined || whole.sent;
    if (outcome.type === 'response' && sent && http.open && channel.ended === undefined) {
      connection.idleSince = performance.now();
      this.#idle.push(connection);
    } else {
      this.#open.delete(channel);
      void channel.close();
    }
    return outcome;
  }

  #sendRest(channel: TcpChannel, body: PausedBody): { readonly sent: boolean } {
    const progress = { sent: false };
    body.rest.then(
      (rest) => {
        const isChunked = body.length === undefined;
        channel.write(isChunked ? Buffer.concat([chunkOf(rest), Buffer.from('0\r\n\r\n')]) : rest);
        progress.sent = true;
      },
      () => {
        channel.destroy();
      },
    );
    return progress;
  }
}

function isPaused(body: AgentRequest['body']): body is PausedBody {
  return body !== undefined && 'rest' in body;
}

/** A chunk (RFC 9112 §7.1); nothing for no octets, since an empty chunk is the last. */
function chunkOf(octets: Uint8Array): Buffer {
  if (octets.length === 0) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from(`${octets.length.toString(16)}\r\n`), octets, Buffer.from('\r\n')]);
}
