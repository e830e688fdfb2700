const EXPORTER = 'EXPORTER_SECRET';
const MASTER = 'CLIENT_RANDOM';

/** The secrets of one connection, from the lines that TLS libraries write for debuggers (RFC 9850). */
export class KeyLog {
  #clientRandom: Buffer | undefined;
  readonly #secrets = new Map<string, Buffer>();

  /** Takes a line such as `EXPORTER_SECRET <client random, hex> <secret, hex>`; most of TLS 1.3's are of no use here. */
  add(line: Buffer): void {
    const [label = '', random = '', secret = ''] = line.toString('latin1').trimEnd().split(' ', 3);
    if (label !== EXPORTER && label !== MASTER) return;
    this.#clientRandom = Buffer.from(random, 'hex');
    this.#secrets.set(label, Buffer.from(secret, 'hex'));
  }

  get clientRandom(): Buffer {
    return this.#clientRandom ?? Buffer.alloc(0);
  }

  /** TLS 1.3 `exporter_master_secret`. */
  get exporterSecret(): Buffer | undefined {
    return this.#secrets.get(EXPORTER);
  }

  /** TLS 1.2 master secret; that of the newest handshake after a renegotiation. */
  get masterSecret(): Buffer | undefined {
    return this.#secrets.get(MASTER);
  }
}
