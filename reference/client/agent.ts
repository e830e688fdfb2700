import { Dispatcher } from 'undici';
import { BoundConnection, type ConnectionSettings } from './connection.ts';
import type { DpopPolicy } from './dpop.ts';
import { SessionBindingError } from './errors.ts';
import { type ClientIdentity, isSameIdentity } from './identity.ts';
import { Job } from './job.ts';
import { type ClientParts, defaultClientParts } from './parts.ts';
import { defaultProofPolicy, type ProofPolicy } from './proof-source.ts';

export interface SessionBoundAgentOptions {
  /**
   * The certificate that tokens are bound to. A function is asked for each request, so that a renewed certificate
   * is taken up by new connections. Those that are open stay with what they presented, and go on serving the
   * tokens that belong to it.
   */
  readonly identity: ClientIdentity | (() => ClientIdentity);
  /** TLS options such as `ca` and `servername`. */
  readonly tls?: ConnectionSettings['tls'];
  /** Default true. */
  readonly allowH2?: boolean;
  /** Most connections to one origin with one certificate. Default 4. */
  readonly connections?: number;
  /** Most concurrent requests on an HTTP/2 connection. Default 100. */
  readonly streams?: number;
  readonly proofs?: Partial<ProofPolicy>;
  /** Proves tokens that are bound to this key with DPoP too (RFC 9449). Default: no token. */
  readonly dpop?: DpopPolicy;
  /**
   * How often a request whose proof was refused is sent again with a new one, where its method is
   * idempotent and its body can be sent again. Default 1.
   */
  readonly proofRetries?: 0 | 1;
  /** Bound on connecting and handshake, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How long a connection is kept without requests, in milliseconds. Default 60,000. */
  readonly idleTimeoutMs?: number;
  /** Parts to use instead of the defaults. */
  readonly parts?: Partial<ClientParts>;
}

interface Origin {
  readonly url: URL;
  readonly waiting: Job[];
  readonly connections: Set<BoundConnection>;
  opening: boolean;
}

/** How often a request may be moved to another connection because its own ended before it was sent. */
const MAXIMUM_MOVES = 6;

/**
 * An undici dispatcher that proves each bearer token for the TLS connection it goes out on. A request
 * waits here until a connection is free, and is signed for that very connection; it can leave on no
 * other. It is used with undici's own `request` and `fetch`.
 *
 * Source: draft -06 §3.3.1, §4.2.
 *
 * @example
 * const agent = new SessionBoundAgent({ identity: { certificate, key }, tls: { ca } });
 * const { statusCode } = await request('https://rs.example/resource', {
 *   dispatcher: agent,
 *   headers: { authorization: `Bearer ${token}` },
 * });
 */
export class SessionBoundAgent extends Dispatcher implements AsyncDisposable {
  readonly #options: SessionBoundAgentOptions;
  readonly #parts: ClientParts;
  readonly #settings: ConnectionSettings;
  readonly #origins = new Map<string, Origin>();
  readonly #idle: (() => void)[] = [];
  #jobs = 0;
  #closed = false;
  #destroyed = false;

  constructor(options: SessionBoundAgentOptions) {
    super();
    this.#options = options;
    this.#parts = { ...defaultClientParts, ...options.parts };
    const proofs = { ...defaultProofPolicy, ...options.proofs };
    this.#settings = {
      tls: options.tls ?? {},
      allowH2: options.allowH2 ?? true,
      streams: options.streams ?? 100,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
      proofs,
      dpop: options.dpop && this.#parts.dpopProofsOf(options.dpop, proofs.clock),
    };
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const url = URL.parse(String(options.origin ?? ''));
    const job = new Job(options, handler, this.#options.proofRetries ?? 1, this.#parts);
    if (this.#closed) {
      queueMicrotask(() => job.fail(new SessionBindingError('closed', 'the agent is closed')));
    } else if (url?.protocol !== 'https:') {
      const error = new SessionBindingError('not-https', 'bound tokens are sent to https origins only');
      queueMicrotask(() => job.fail(error));
    } else {
      this.#jobs += 1;
      const origin = this.#originAt(url);
      origin.waiting.push(job);
      this.#pump(origin);
    }
    return true;
  }

  #originAt(url: URL): Origin {
    let origin = this.#origins.get(url.origin);
    if (origin === undefined) {
      origin = { url: new URL(url.origin), waiting: [], connections: new Set(), opening: false };
      this.#origins.set(url.origin, origin);
    }
    return origin;
  }

  #identity(): ClientIdentity {
    const { identity } = this.#options;
    return typeof identity === 'function' ? identity() : identity;
  }

  /** Hands waiting requests to free connections, and opens another connection where that is not enough. */
  #pump(origin: Origin): void {
    const identity = this.#identity();
    const outdated = new Set(origin.connections);
    for (const connection of origin.connections) {
      if (isSameIdentity(connection.identity, identity)) outdated.delete(connection);
    }
    // What belongs to a certificate that was renewed stays where it is, as long as there is such a place.
    const placesOf = ({ token }: Job) =>
      token === undefined ? [] : [...outdated].filter((connection) => connection.holds(token));
    const fits = (job: Job, connection: BoundConnection) => {
      const places = placesOf(job);
      return places.length > 0 ? places.includes(connection) : !outdated.has(connection);
    };
    for (const connection of origin.connections) {
      while (connection.free) {
        const index = origin.waiting.findIndex((job) => fits(job, connection));
        if (index === -1) break;
        for (const job of origin.waiting.splice(index, 1)) this.#send(origin, connection, job);
      }
    }
    const current = origin.connections.size - outdated.size;
    if (origin.opening || current >= (this.#options.connections ?? 4)) return;
    const unplaced = new Set(origin.waiting.filter((job) => placesOf(job).length === 0));
    if (unplaced.size > 0) void this.#open(origin, identity, unplaced);
  }

  /** @param jobs those that the connection is opened for */
  async #open(origin: Origin, identity: ClientIdentity, jobs: ReadonlySet<Job>): Promise<void> {
    origin.opening = true;
    const forget = (connection: BoundConnection) => {
      origin.connections.delete(connection);
      this.#pump(origin);
    };
    try {
      const connection = await BoundConnection.open(
        origin.url,
        identity,
        this.#settings,
        this.#parts,
        forget,
      );
      // What waited may have been served meanwhile; undici times out only connections that it was handed.
      if (this.#destroyed || origin.waiting.length === 0) await connection.destroy(null);
      else if (!connection.ended) origin.connections.add(connection);
      origin.opening = false;
      this.#pump(origin);
    } catch (error) {
      origin.opening = false;
      // While there are other connections, what waits is theirs to serve; the next one that is done, or ends, asks anew.
      if ([...origin.connections].some((other) => isSameIdentity(other.identity, identity))) return;
      this.#failAll(origin, jobs, error as Error);
      this.#pump(origin);
    }
  }

  /** Fails those that waited when the connection was begun; who came later gets an attempt of their own. */
  #failAll(origin: Origin, jobs: ReadonlySet<Job>, error: Error): void {
    const later = origin.waiting.filter((job) => !jobs.has(job));
    for (const job of origin.waiting.splice(0)) if (jobs.has(job)) this.#finish(() => job.fail(error));
    origin.waiting.push(...later);
  }

  #send(origin: Origin, connection: BoundConnection, job: Job): void {
    let isOver = false;
    const over = (outcome: 'done' | 'again') => {
      // A handler that throws in its last call is told of an error after it: the request ended only once.
      if (isOver) return;
      isOver = true;
      connection.release();
      if (outcome === 'again' && !this.#destroyed && job.moves < MAXIMUM_MOVES) {
        job.moves += 1;
        origin.waiting.unshift(job);
      } else if (outcome === 'again') {
        this.#finish(() => job.fail(new SessionBindingError('connection-ended', 'no connection lasted')));
      } else {
        this.#finish(() => {});
      }
      queueMicrotask(() => this.#pump(origin));
    };
    job.sendOn(connection, over);
  }

  #finish(last: () => void): void {
    this.#jobs -= 1;
    last();
    if (this.#jobs === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #everyConnection(): BoundConnection[] {
    return [...this.#origins.values()].flatMap(({ connections }) => [...connections]);
  }

  /** Takes no more requests, waits for those underway, and closes the connections. */
  async #closeGently(): Promise<void> {
    this.#closed = true;
    if (this.#jobs > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await Promise.all(this.#everyConnection().map((connection) => connection.close()));
  }

  async #destroyAll(reason: Error | null): Promise<void> {
    this.#closed = true;
    this.#destroyed = true;
    const cause = reason ?? new SessionBindingError('closed', 'the agent was destroyed');
    for (const { waiting } of this.#origins.values()) {
      for (const job of waiting.splice(0)) this.#finish(() => job.fail(cause));
    }
    await Promise.all(this.#everyConnection().map((connection) => connection.destroy(cause)));
  }

  override close(afterwards: () => void): void;
  override close(): Promise<void>;
  override close(afterwards?: () => void): void | Promise<void> {
    const closed = this.#closeGently();
    if (afterwards === undefined) return closed;
    void closed.then(afterwards);
  }

  override destroy(reason: Error | null, afterwards: () => void): void;
  override destroy(afterwards: () => void): void;
  override destroy(reason: Error | null): Promise<void>;
  override destroy(): Promise<void>;
  override destroy(first?: Error | null | (() => void), second?: () => void): void | Promise<void> {
    const destroyed = this.#destroyAll(first instanceof Error ? first : null);
    const afterwards = typeof first === 'function' ? first : second;
    if (afterwards === undefined) return destroyed;
    void destroyed.then(afterwards);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy();
  }
}
