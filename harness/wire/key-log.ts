/** The secrets of one connection, from the lines that TLS libraries write for debuggers (RFC 9850). */
export class KeyLog {
  #clientRandom: Buffer | undefined;
  readonly #secrets = new Map<string, Buffer>();

  /** Takes a line such as `EXPORTER_SECRET <client random, hex> <secret, hex>`. */
  add(line: Buffer): void {
    const [label, random, secret] = line.toString('latin1').trim().split(' ');
    if (label === undefined || random === undefined || secret === undefined) return;
    this.#clientRandom = Buffer.from(random, 'hex');
    this.#secrets.set(label, Buffer.from(secret, 'hex'));
  }

  get clientRandom(): Buffer {
    return this.#clientRandom ?? Buffer.alloc(0);
  }

  /** TLS 1.3 `exporter_master_secret`. */
  get exporterSecret(): Buffer | undefined {
    return this.#secrets.get('EXPORTER_SECRET');
  }

  /** TLS 1.2 master secret; that of the newest handshake after a renegotiation. */
  get masterSecret(): Buffer | undefined {
    return this.#secrets.get('CLIENT_RANDOM');
  }
}
