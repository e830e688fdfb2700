import type { Derivation } from './connection.ts';
import {
  exporter12,
  exporter13,
  EXPORTER_LABEL,
  EXPORTER_LENGTH,
  hashOfCipher,
  type Secrets12,
} from './exporter.ts';

/** A derivation with nothing left to default. */
export interface FullDerivation {
  readonly label: string;
  readonly context: Uint8Array | null;
  readonly length: number;
}

/** The draft's derivation, or another with what it leaves open filled in (draft -06 §2.2). */
export function fullDerivation(derivation: Derivation = {}): FullDerivation {
  const { label = EXPORTER_LABEL, context = new Uint8Array(), length = EXPORTER_LENGTH } = derivation;
  return { label, context, length };
}

/** The secrets that a connection's exporter values are recomputed from. */
export type ExporterSecrets =
  | { readonly tls: '1.3'; readonly cipher: string; readonly exporterSecret: Buffer }
  | ({ readonly tls: '1.2'; readonly cipher: string } & Secrets12);

/**
 * Where a connection's exporter values come from: the TLS library while it stands, own code over the key log
 * afterwards, the latter held against the former at the start.
 */
export class ExporterSource {
  /** `key-log` when an independent computation gave the same value. */
  readonly check: 'key-log' | 'not-checked';
  readonly #library: (derivation: FullDerivation) => Buffer;
  readonly #secrets: ExporterSecrets | undefined;
  readonly #taken = new Map<string, Buffer>();

  /**
   * @param library asks the TLS library; called now, and later only while `ended` is false
   * @throws {Error} if library and recomputation differ: a fault of the harness or of the TLS library, not of the target
   */
  constructor(library: (derivation: FullDerivation) => Buffer, secrets: ExporterSecrets | undefined) {
    this.#library = library;
    this.#secrets = secrets;
    const derivation = fullDerivation();
    const value = library(derivation);
    if (secrets === undefined) {
      this.check = 'not-checked';
      this.#taken.set(keyOf(derivation), value);
      const without = { ...derivation, context: null };
      this.#taken.set(keyOf(without), library(without));
      return;
    }
    if (!recompute(secrets, derivation).equals(value))
      throw new Error(
        'harness fault: the exporter value recomputed from the key log is not the TLS library’s',
      );
    this.check = 'key-log';
    if (secrets.tls === '1.3') this.#taken.set(keyOf(derivation), value);
  }

  /** @throws {Error} for a derivation that was not taken before the end, where the secrets are not known (TLS 1.2) */
  value(derivation: Derivation | undefined, ended: boolean): Buffer {
    const full = fullDerivation(derivation);
    // On TLS 1.3 the value is the connection's for good; on TLS 1.2 it is another one after a renegotiation.
    const lasting = this.#secrets?.tls === '1.3' ? this.#taken.get(keyOf(full)) : undefined;
    if (lasting !== undefined) return Buffer.from(lasting);
    if (!ended) return this.#library(full);
    if (this.#secrets !== undefined) return recompute(this.#secrets, full);
    const taken = this.#taken.get(keyOf(full));
    if (taken === undefined)
      throw new Error(
        'the connection has ended and this exporter value was not taken before; take it while the connection is open',
      );
    return Buffer.from(taken);
  }
}

function recompute(secrets: ExporterSecrets, { label, context, length }: FullDerivation): Buffer {
  const hash = hashOfCipher(secrets.cipher);
  return secrets.tls === '1.3'
    ? exporter13(hash, secrets.exporterSecret, label, context ?? new Uint8Array(), length)
    : exporter12(hash, secrets, label, context, length);
}

function keyOf({ label, context, length }: FullDerivation): string {
  return `${length} ${context === null ? 'none' : Buffer.from(context).toString('hex')} ${label}`;
}
