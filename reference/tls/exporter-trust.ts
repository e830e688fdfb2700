import type { TLSSocket } from 'node:tls';

/** One element of a DER encoding: its identifier octet and contents. */
interface Element {
  readonly identifier: number;
  readonly contents: Buffer;
  readonly next: number;
}

function elementAt(der: Buffer, offset: number): Element {
  const identifier = der.readUInt8(offset);
  let length = der.readUInt8(offset + 1);
  let start = offset + 2;
  if (length >= 0x80) {
    const octets = length - 0x80;
    length = der.readUIntBE(start, octets);
    start += octets;
  }
  return { identifier, contents: der.subarray(start, start + length), next: start + length };
}

const SEQUENCE = 0x30;
/** `[13] EXPLICIT INTEGER`: the flags of OpenSSL's SSL_SESSION. */
const FLAGS = 0xad;
const EXTENDED_MASTER_SECRET = 0x01;

/** What Node puts before the DER on the client's side: this mark, then the server name with its length in two octets. */
const NODE_MARK = Buffer.from('\0nodejs:tls:session:1\0');

function withoutNodeMark(session: Buffer): Buffer {
  if (!session.subarray(0, NODE_MARK.length).equals(NODE_MARK)) return session;
  return session.subarray(NODE_MARK.length + 2 + session.readUInt16BE(NODE_MARK.length));
}

/**
 * Whether a TLS 1.2 session was made with the extended master secret (RFC 7627), read from OpenSSL's
 * serialisation of it, since Node has no call for it. A session that cannot be read counts as one without.
 *
 * @param session what `tlsSocket.getSession()` returns
 */
export function hasExtendedMasterSecret(session: Buffer): boolean {
  try {
    const whole = elementAt(withoutNodeMark(session), 0);
    if (whole.identifier !== SEQUENCE) return false;
    for (let offset = 0; offset < whole.contents.length;) {
      const element = elementAt(whole.contents, offset);
      if (element.identifier === FLAGS) {
        const flags = elementAt(element.contents, 0).contents;
        return ((flags.at(-1) ?? 0) & EXTENDED_MASTER_SECRET) !== 0;
      }
      offset = element.next;
    }
    return false;
  } catch {
    return false;
  }
}

/**
 * Whether exporter values of a connection are its own: always on TLS 1.3; on TLS 1.2 only with the
 * extended master secret, without which a man in the middle can give two connections the same
 * value (RFC 7627 §5.4).
 */
export function exporterTrustedOn(socket: Pick<TLSSocket, 'getProtocol' | 'getSession'>): boolean {
  const version = socket.getProtocol();
  if (version === 'TLSv1.3') return true;
  if (version !== 'TLSv1.2') return false;
  const session = socket.getSession();
  return session !== undefined && hasExtendedMasterSecret(session);
}
