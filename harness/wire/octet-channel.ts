import type { Ending } from './tls-failure.ts';

/** Receives what happens on an {@link OctetChannel}. */
export interface ChannelEvents {
  data(octets: Buffer): void;
  /** Called exactly once, when no more octets will come. */
  end(ending: Ending): void;
}

/** A secured two-way stream of octets: what HTTP/1.1 is spoken on, whichever TLS implementation is below. */
export interface OctetChannel {
  /** Set when the channel has ended. */
  readonly ended: Ending | undefined;
  write(octets: Uint8Array): void;
  /** Sends close_notify; resolves when the connection is gone, or after a short bound. */
  close(): Promise<void>;
  /** Drops the connection without ceremony. */
  destroy(): void;
  /** Directs events to a receiver, the end too if it has already happened. */
  listen(events: ChannelEvents): void;
}
