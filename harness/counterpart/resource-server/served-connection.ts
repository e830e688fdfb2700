import type { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Derivation } from '../../wire/connection.ts';
import { endingOf } from '../../wire/tls-failure.ts';
import type { UpstreamConnection, UpstreamFacts, UpstreamRequest } from './contract.ts';
import type { Established } from './established.ts';

/** How long a client may take to end its side after the counterpart has ended its own. */
const END_TIMEOUT_MS = 500;
const RENEGOTIATION_TIMEOUT_MS = 2000;
/** What HTTP/2 does at the end of a connection; HTTP/1.1 has no such thing. */
export interface GoAway {
  /** Sends GOAWAY with this as the last stream; `undefined`: the newest one there is. */
  goAway(lastStreamId?: number): void;
}

/** The counterpart's end of a TLS connection of the client under test. */
export class ServedConnection implements UpstreamConnection {
  readonly id: string;
  readonly stream: Duplex;
  readonly facts: UpstreamFacts;
  readonly clientChain: readonly X509Certificate[];
  readonly requests: UpstreamRequest[] = [];
  readonly tlsUnique: Buffer | undefined;
  readonly serverEndPoint: Buffer;
  readonly clientRandom: Buffer;
  readonly sessionId: Buffer | undefined;
  readonly earlyData: Buffer;
  ending: string | undefined;
  /** Set by the HTTP/2 layer. */
  http2: GoAway | undefined;
  readonly #established: Established;
  readonly #end = Promise.withResolvers<void>();
  #told = false;
  #reset = false;

  constructor(id: string, established: Established) {
    this.id = id;
    this.#established = established;
    this.stream = established.stream;
    this.facts = established.facts;
    this.clientChain = established.clientChain;
    this.tlsUnique = established.tlsUnique;
    this.serverEndPoint = established.serverEndPoint;
    this.clientRandom = established.clientRandom;
    this.sessionId = established.sessionId;
    this.earlyData = established.earlyData;
    const { tcp, stream } = established;
    for (const layer of [tcp, stream])
      layer.on('error', (error: Error) => {
        this.#ended(endingOf(error, 'established').detail);
      });
    stream.on('end', () => {
      this.#ended('the client ended the connection');
    });
    stream.on('close', () => {
      this.#ended('the connection is closed');
    });
  }

  get open(): boolean {
    return !this.#told && this.ending === undefined;
  }

  exporter(derivation?: Derivation): Buffer {
    return this.#established.exporter(derivation);
  }

  /** From now on it counts as ending, though its octets still flow. */
  announceEnd(): void {
    this.#told = true;
  }

  async end(): Promise<void> {
    const { stream } = this;
    if (stream.closed) return;
    if (!this.#told && this.ending === undefined) this.http2?.goAway();
    this.#told = true;
    if (this.#reset) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, END_TIMEOUT_MS);
    stream.once('close', resolve);
    if (!stream.writableEnded) stream.end();
    // A client that has paused reading, or a layer above that has, must not keep its end from being seen.
    stream.resume();
    await promise;
    clearTimeout(timer);
    stream.off('close', resolve);
    this.#ended('the counterpart ended the connection');
  }

  async awaitEnd(timeoutMs: number): Promise<void> {
    if (this.ending !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([promise, this.#end.promise]);
    clearTimeout(timer);
  }

  reset(): void {
    this.#told = true;
    this.#ended('the counterpart reset the connection');
    if (this.#reset || this.#established.tcp.destroyed) return;
    this.#reset = true;
    // Only this: the TLS socket follows by itself, and destroying both crashes Node.
    this.#established.tcp.resetAndDestroy();
  }

  goAway(lastStreamId: number): void {
    this.#told = true;
    this.http2?.goAway(lastStreamId);
  }

  async renegotiate(timeoutMs = RENEGOTIATION_TIMEOUT_MS): Promise<string> {
    const { stream } = this;
    if (this.facts.tls === 'TLSv1.3') return 'TLS 1.3 has no renegotiation';
    if (this.http2 !== undefined) return 'HTTP/2 forbids renegotiation';
    if (stream.destroyed) return this.ending ?? 'the connection has ended';
    const { promise, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(resolve, timeoutMs, `no renegotiation within ${timeoutMs} ms`);
    const onClose = (): void => {
      resolve(this.ending ?? 'the client ended the connection');
    };
    stream.once('close', onClose);
    this.#established.onRenegotiated(() => {
      resolve('renegotiated');
    });
    this.#established.renegotiate(resolve);
    const outcome = await promise;
    clearTimeout(timer);
    stream.off('close', onClose);
    return outcome.replaceAll('the target', 'the client');
  }

  keyUpdate(): void {
    if (!this.stream.destroyed) this.#established.keyUpdate();
  }

  /** Says why it ended, which tells more than that it did. */
  note(ending: string): void {
    if (!this.#told) this.ending = ending;
  }

  #ended(ending: string): void {
    this.#end.resolve();
    this.ending ??= ending.replaceAll('the target', 'the client');
  }
}
