import { createHash, createHmac, createCipheriv, createDecipheriv } from 'node:crypto';

/** Octets of SHA-256, the hash of the one cipher suite here. */
export const HASH_LENGTH = 32;
const ZEROS = Buffer.alloc(HASH_LENGTH);
const TAG_LENGTH = 16;

export function sha256(octets: Uint8Array): Buffer {
  return createHash('sha256').update(octets).digest();
}

export function hmac(key: Uint8Array, octets: Uint8Array): Buffer {
  return createHmac('sha256', key).update(octets).digest();
}

/** A vector with its length before it, in so many octets. */
export function vector(lengthOctets: 1 | 2 | 3, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(lengthOctets);
  length.writeUIntBE(body.length, 0, lengthOctets);
  return Buffer.concat([length, body]);
}

/** HKDF-Expand-Label (RFC 8446 §7.1), at most 32 octets. */
export function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number): Buffer {
  const info = Buffer.concat([
    Uint8Array.of(0, length),
    vector(1, Buffer.from(`tls13 ${label}`)),
    vector(1, context),
    Uint8Array.of(1),
  ]);
  return hmac(secret, info).subarray(0, length);
}

/** Derive-Secret, given the transcript's hash. */
export function deriveSecret(
  secret: Uint8Array,
  label: string,
  transcriptHash: Uint8Array = sha256(Buffer.alloc(0)),
): Buffer {
  return expandLabel(secret, label, transcriptHash, HASH_LENGTH);
}

/** The next stage's secret; the first is made from nothing and the pre-shared key, if there is one. */
export function nextSecret(before: Uint8Array | undefined, input: Uint8Array = ZEROS): Buffer {
  return hmac(before === undefined ? ZEROS : deriveSecret(before, 'derived'), input);
}

/** An exporter value (RFC 8446 §7.5). */
export function exported(
  exporterSecret: Uint8Array,
  length: number,
  label: string,
  context: Uint8Array,
): Buffer {
  return expandLabel(deriveSecret(exporterSecret, label), 'exporter', sha256(context), length);
}

/** Protects the records of one direction (RFC 8446 §5.2) with TLS_AES_128_GCM_SHA256. */
export class RecordProtection {
  readonly secret: Buffer;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  #sequence = 0n;

  constructor(secret: Buffer) {
    this.secret = secret;
    this.#key = expandLabel(secret, 'key', Buffer.alloc(0), 16);
    this.#iv = expandLabel(secret, 'iv', Buffer.alloc(0), 12);
  }

  /** The protection after a KeyUpdate (RFC 8446 §7.2). */
  next(): RecordProtection {
    return new RecordProtection(expandLabel(this.secret, 'traffic upd', Buffer.alloc(0), HASH_LENGTH));
  }

  seal(type: number, content: Uint8Array): Buffer {
    const header = Buffer.from([23, 3, 3, 0, 0]);
    header.writeUInt16BE(content.length + 1 + TAG_LENGTH, 3);
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonce());
    cipher.setAAD(header);
    const body = Buffer.concat([cipher.update(content), cipher.update(Uint8Array.of(type)), cipher.final()]);
    return Buffer.concat([header, body, cipher.getAuthTag()]);
  }

  /** @throws where the record is not authentic */
  open(header: Uint8Array, body: Buffer): { readonly type: number; readonly content: Buffer } {
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#nonce());
    decipher.setAAD(header);
    decipher.setAuthTag(body.subarray(-TAG_LENGTH));
    const inner = Buffer.concat([decipher.update(body.subarray(0, -TAG_LENGTH)), decipher.final()]);
    const end = inner.findLastIndex((octet) => octet !== 0);
    return { type: inner[end] ?? 0, content: inner.subarray(0, end) };
  }

  #nonce(): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence++, 4);
    return nonce;
  }
}
