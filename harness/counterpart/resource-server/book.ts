import { count } from '../../wire/counters.ts';
import type { Field } from '../../wire/connection.ts';
import type { Answer, FailedHandshake, UpstreamConnection, UpstreamRequest } from './contract.ts';

/** What a book holds at most; a client that does more is out of control, and is cut off. */
const MAX_REQUESTS = 10_000;
const MAX_ENTRIES = 2000;
/** Octets of a request's body that are kept. */
const MAX_BODY = 4_194_304;

/** A request's head, as the HTTP layer has read it. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly fields: readonly Field[];
}

/** A request that is being received and answered. */
export class BookedRequest implements UpstreamRequest {
  readonly id: number;
  readonly connection: UpstreamConnection;
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly fields: readonly Field[];
  readonly receivedAt = Date.now();
  answer: Answer | undefined;
  trailers: readonly Field[] = [];
  complete = false;
  #body: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #octets = 0;
  readonly #grown: () => void;

  /** @param grown called whenever more of its body has arrived */
  constructor(id: number, connection: UpstreamConnection, head: RequestHead, grown: () => void) {
    this.#grown = grown;
    this.id = id;
    this.connection = connection;
    this.method = head.method;
    this.target = head.target;
    this.authority = head.authority;
    this.fields = head.fields;
  }

  /** What has arrived of it so far; the first {@link MAX_BODY} octets. */
  get body(): Buffer {
    if (this.#chunks.length > 0) this.#body = Buffer.concat([this.#body, ...this.#chunks.splice(0)]);
    return this.#body;
  }

  append(chunk: Buffer): void {
    if (this.#octets < MAX_BODY) this.#chunks.push(chunk);
    this.#octets += chunk.length;
    this.#grown();
  }
}

interface Waiting {
  readonly fits: (request: UpstreamRequest) => boolean;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (request: UpstreamRequest | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/** All that happened at the counterpart since a scenario began, in order. */
export class Book {
  readonly connections: UpstreamConnection[] = [];
  readonly requests: BookedRequest[] = [];
  readonly failedHandshakes: FailedHandshake[] = [];
  readonly faults: string[] = [];
  readonly #waiting = new Set<Waiting>();
  #closed = false;

  /** Whether its scenario is over. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Enters a connection under the next id; `undefined` when the book is full or closed. */
  connected(make: (id: string) => UpstreamConnection): UpstreamConnection | undefined {
    if (this.#closed || this.connections.length >= MAX_ENTRIES) return undefined;
    const connection = make(`c${this.connections.length + 1}`);
    count('handshakes');
    this.connections.push(connection);
    return connection;
  }

  /** Enters a request whose head has arrived; `undefined` when the book is full or closed. */
  arrived(connection: UpstreamConnection, head: RequestHead): BookedRequest | undefined {
    if (this.#closed || this.requests.length >= MAX_REQUESTS) return undefined;
    const request = new BookedRequest(this.requests.length + 1, connection, head, () => {
      this.changed(request);
    });
    this.requests.push(request);
    this.changed(request);
    return request;
  }

  failed(reason: string): void {
    if (!this.#closed && this.failedHandshakes.length < MAX_ENTRIES) this.failedHandshakes.push({ reason });
  }

  fault(what: string): void {
    if (this.faults.length < MAX_ENTRIES) this.faults.push(what);
  }

  /** To be called whenever something about a request is new: its head, its body, the end of that, its answer. */
  changed(request: UpstreamRequest): void {
    for (const waiting of this.#waiting)
      settle(waiting, () => {
        if (!waiting.fits(request)) return;
        this.#waiting.delete(waiting);
        waiting.resolve(request);
      });
  }

  /**
   * The first request that fits, past or future; `undefined` after so many milliseconds or when the book is closed.
   *
   * @throws whatever `fits` throws
   */
  async awaitRequest(
    fits: (request: UpstreamRequest) => boolean,
    timeoutMs: number,
  ): Promise<UpstreamRequest | undefined> {
    const known = this.requests.find((request) => fits(request));
    if (known !== undefined || this.#closed) return known;
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamRequest | undefined>();
    const waiting: Waiting = {
      fits,
      resolve,
      reject,
      timer: setTimeout(() => {
        resolve(undefined);
      }, timeoutMs),
    };
    this.#waiting.add(waiting);
    try {
      return await promise;
    } finally {
      clearTimeout(waiting.timer);
      this.#waiting.delete(waiting);
    }
  }

  /** From now on nothing is entered; whoever waits gets `undefined`. */
  close(): void {
    this.#closed = true;
    for (const { resolve } of this.#waiting) resolve(undefined);
  }
}

function settle(waiting: Waiting, act: () => void): void {
  try {
    act();
  } catch (error) {
    waiting.reject(error);
  }
}
