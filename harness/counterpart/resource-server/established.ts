import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Derivation } from '../../wire/connection.ts';
import type { UpstreamFacts } from './contract.ts';

/** A TLS connection whose handshake is complete, whichever implementation made it; what is read off it can be kept. */
export interface Established {
  /** Carries the records. */
  readonly tcp: Socket;
  /** The application's octets. Its end is a close_notify. */
  readonly stream: Duplex;
  readonly facts: UpstreamFacts;
  /** What the client presented, end-entity certificate first; on a resumed connection what the session remembers of it. */
  readonly clientChain: readonly X509Certificate[];
  readonly tlsUnique: Buffer | undefined;
  readonly serverEndPoint: Buffer;
  readonly clientRandom: Buffer;
  readonly sessionId: Buffer | undefined;
  /** What came as early data (RFC 8446 §2.3). */
  readonly earlyData: Buffer;
  exporter(derivation?: Derivation): Buffer;
  /** Asks for a renegotiation; calls back once with how the client refused, if it does. */
  renegotiate(refused: (how: string) => void): void;
  /** Calls back after each renegotiation. */
  onRenegotiated(callback: () => void): void;
  /** @throws {Error} where the implementation has no such thing */
  keyUpdate(): void;
}
