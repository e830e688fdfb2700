/** What is read from OpenSSL's serialised session: the only place where Node shows some facts of a handshake. */
export interface SslSession {
  /** The session ID of TLS 1.2; with tickets, the identifier that OpenSSL gives them. Empty if there is none. */
  readonly sessionId: Buffer;
  /** DER of the peer's certificate; it is there on resumed connections too. */
  readonly peerCertificate: Buffer | undefined;
  /** RFC 7627; meaningful up to TLS 1.2 only. */
  readonly extendedMasterSecret: boolean;
  /** How many octets of early data the session's ticket allows (RFC 8446 §4.6.1); 0 for none. */
  readonly maxEarlyData: number;
}

/** Node puts this before a client's session, then the server name with a 16-bit length. */
const NODE_PREFIX = Buffer.from('\0nodejs:tls:session:1\0', 'latin1');

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly next: number;
}

/** One DER element with a one-octet tag; OpenSSL's session has no others. */
function elementAt(der: Buffer, offset: number): Element {
  const tag = der.readUInt8(offset);
  const first = der.readUInt8(offset + 1);
  const extra = first < 0x80 ? 0 : first & 0x7f;
  const length = extra === 0 ? first : der.readUIntBE(offset + 2, extra);
  const start = offset + 2 + extra;
  return { tag, content: der.subarray(start, start + length), next: start + length };
}

/** OpenSSL’s DER without what Node puts before it. */
export function withoutNodePrefix(session: Buffer): Buffer {
  const at = NODE_PREFIX.length;
  if (!session.subarray(0, at).equals(NODE_PREFIX)) return session;
  return session.subarray(at + 2 + session.readUInt16BE(at));
}

const OCTET_STRING = 0x04;
const PEER = 0xa3;
const FLAGS = 0xad;
const FLAG_EXTENDED_MASTER_SECRET = 1;
const MAX_EARLY_DATA = 0xaf;

/**
 * Reads a session as `TLSSocket.getSession()` gives it.
 *
 * @throws {RangeError} if it is not OpenSSL's DER form
 */
export function readSslSession(session: Buffer): SslSession {
  const { content } = elementAt(withoutNodePrefix(session), 0);
  let sessionId: Buffer | undefined;
  let peerCertificate: Buffer | undefined;
  let flags = 0;
  let maxEarlyData = 0;
  let strings = 0;
  for (let offset = 0; offset < content.length;) {
    const element = elementAt(content, offset);
    // The octet strings are, in order: cipher, session ID, master key.
    if (element.tag === OCTET_STRING && ++strings === 2) sessionId = element.content;
    else if (element.tag === PEER) peerCertificate = element.content;
    else if (element.tag === FLAGS) flags = elementAt(element.content, 0).content.at(-1) ?? 0;
    else if (element.tag === MAX_EARLY_DATA)
      maxEarlyData = Number.parseInt(elementAt(element.content, 0).content.toString('hex'), 16);
    offset = element.next;
  }
  return {
    sessionId: sessionId ?? Buffer.alloc(0),
    peerCertificate,
    extendedMasterSecret: (flags & FLAG_EXTENDED_MASTER_SECRET) !== 0,
    maxEarlyData,
  };
}
