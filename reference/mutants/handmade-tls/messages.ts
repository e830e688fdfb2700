import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { vector } from './key-schedule.ts';

/** Handshake messages of TLS 1.3 (RFC 8446 §4), as far as one server with a P-256 key needs them. */

export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
} as const;

const EXTENSION = {
  signatureAlgorithms: 13,
  alpn: 16,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  keyShare: 51,
};
const X25519 = 0x001d;
const ECDSA = new Map([
  [0x0403, 'sha256'],
  [0x0503, 'sha384'],
  [0x0603, 'sha512'],
]);

export function message(type: number, ...body: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Uint8Array.of(type), vector(3, ...body)]);
}

function uint16(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function extension(type: number, ...body: readonly Uint8Array[]): Buffer {
  return Buffer.concat([uint16(type), vector(2, ...body)]);
}

/** Reads vectors and numbers one after the other. */
class Reader {
  readonly #octets: Buffer;
  #at = 0;
  constructor(octets: Buffer) {
    this.#octets = octets;
  }
  get more(): boolean {
    return this.#at < this.#octets.length;
  }
  take(length: number): Buffer {
    if (this.#at + length > this.#octets.length) throw new RangeError('the message is cut off');
    return this.#octets.subarray(this.#at, (this.#at += length));
  }
  number(octets: number): number {
    return this.take(octets).readUIntBE(0, octets);
  }
  vector(lengthOctets: number): Buffer {
    return this.take(this.number(lengthOctets));
  }
}

export interface ClientHello {
  readonly sessionId: Buffer;
  /** The client's X25519 share. */
  readonly share: Buffer;
  /** The first ticket that is offered, in hexadecimal. */
  readonly ticket: string | undefined;
  readonly earlyData: boolean;
}

/** @throws {RangeError} for a client that TLS 1.3 with X25519 and HTTP/1.1 cannot be spoken with */
export function readClientHello(body: Buffer): ClientHello {
  const reader = new Reader(body);
  reader.take(34);
  const sessionId = reader.vector(1);
  const suites = reader.vector(2).toString('hex').match(/.{4}/g);
  reader.vector(1);
  const extensions = new Map<number, Buffer>();
  for (const list = new Reader(reader.vector(2)); list.more;) extensions.set(list.number(2), list.vector(2));
  const protocols = extensions.get(EXTENSION.alpn)?.includes('http/1.1') ?? true;
  const share = shareIn(extensions.get(EXTENSION.keyShare));
  if (!protocols || share === undefined || suites?.includes('1301') !== true)
    throw new RangeError('nothing in common with the client');
  const offered = extensions.get(EXTENSION.preSharedKey);
  const ticket = offered && new Reader(new Reader(offered).vector(2)).vector(2).toString('hex');
  return { sessionId, share, ticket, earlyData: extensions.has(EXTENSION.earlyData) };
}

function shareIn(keyShare: Buffer | undefined): Buffer | undefined {
  if (keyShare === undefined) return undefined;
  for (const list = new Reader(new Reader(keyShare).vector(2)); list.more;) {
    const [group, share] = [list.number(2), list.vector(2)];
    if (group === X25519) return share;
  }
  return undefined;
}

/** Answers a ClientHello; gives the shared secret of the key exchange too. */
export function serverHello(
  hello: ClientHello,
  resumed: boolean,
): { readonly octets: Buffer; readonly shared: Buffer } {
  const own = generateKeyPairSync('x25519');
  const jwk = { kty: 'OKP', crv: 'X25519', x: hello.share.toString('base64url') };
  const shared = diffieHellman({
    privateKey: own.privateKey,
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
  });
  const share = Buffer.from(own.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const extensions = [
    extension(EXTENSION.supportedVersions, uint16(0x0304)),
    extension(EXTENSION.keyShare, uint16(X25519), vector(2, share)),
    ...(resumed ? [extension(EXTENSION.preSharedKey, uint16(0))] : []),
  ];
  const octets = message(
    HANDSHAKE.serverHello,
    uint16(0x0303),
    randomBytes(32),
    vector(1, hello.sessionId),
    uint16(0x1301),
    Uint8Array.of(0),
    vector(2, ...extensions),
  );
  return { octets, shared };
}

export function encryptedExtensions(earlyData: boolean): Buffer {
  const protocol = extension(EXTENSION.alpn, vector(2, vector(1, Buffer.from('http/1.1'))));
  return message(
    HANDSHAKE.encryptedExtensions,
    vector(2, protocol, ...(earlyData ? [extension(EXTENSION.earlyData)] : [])),
  );
}

export function certificateRequest(): Buffer {
  const algorithms = extension(EXTENSION.signatureAlgorithms, vector(2, uint16(...ECDSA.keys())));
  return message(HANDSHAKE.certificateRequest, vector(1), vector(2, algorithms));
}

/** @param chain PEM */
export function certificate(chain: string): Buffer {
  const blocks = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const entries = blocks.map((block) =>
    Buffer.concat([vector(3, new X509Certificate(block).raw), vector(2)]),
  );
  return message(HANDSHAKE.certificate, vector(1), vector(3, ...entries));
}

export function readCertificates(body: Buffer): readonly X509Certificate[] {
  const reader = new Reader(body);
  reader.vector(1);
  const certificates: X509Certificate[] = [];
  for (const list = new Reader(reader.vector(3)); list.more; list.vector(2))
    certificates.push(new X509Certificate(list.vector(3)));
  return certificates;
}

function signed(side: 'client' | 'server', transcriptHash: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.alloc(64, 0x20),
    Buffer.from(`TLS 1.3, ${side} CertificateVerify\0`),
    transcriptHash,
  ]);
}

/** @param key PEM, P-256 */
export function certificateVerify(key: string, transcriptHash: Uint8Array): Buffer {
  return message(
    HANDSHAKE.certificateVerify,
    uint16(0x0403),
    vector(2, sign('sha256', signed('server', transcriptHash), createPrivateKey(key))),
  );
}

/** Whether the client has signed its CertificateVerify with this key. */
export function provesPossession(body: Buffer, key: KeyObject, transcriptHash: Uint8Array): boolean {
  const reader = new Reader(body);
  const digest = ECDSA.get(reader.number(2));
  return digest !== undefined && verify(digest, signed('client', transcriptHash), key, reader.vector(2));
}

/** A ticket for one resumption after another, with or without early data. */
export function newSessionTicket(ticket: Buffer, nonce: Uint8Array, earlyData: boolean): Buffer {
  const early = earlyData ? [extension(EXTENSION.earlyData, Buffer.from([0, 0, 0x40, 0]))] : [];
  return message(
    HANDSHAKE.newSessionTicket,
    Buffer.from([0, 0, 0x1c, 0x20]),
    randomBytes(4),
    vector(1, nonce),
    vector(2, ticket),
    vector(2, ...early),
  );
}
