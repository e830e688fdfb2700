/** One element of a DER encoding: its identifier octet and contents. */
export interface Element {
  readonly identifier: number;
  readonly contents: Buffer;
  readonly next: number;
}

/** @throws RangeError where the encoding ends too soon */
export function elementAt(der: Buffer, offset: number): Element {
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
/** What Node puts before the DER on the client's side: this mark, then the server name with its length in two octets. */
const NODE_MARK = Buffer.from('\0nodejs:tls:session:1\0');

function withoutNodeMark(session: Buffer): Buffer {
  if (!session.subarray(0, NODE_MARK.length).equals(NODE_MARK)) return session;
  return session.subarray(NODE_MARK.length + 2 + session.readUInt16BE(NODE_MARK.length));
}

/**
 * The members of a session in OpenSSL's serialisation: none where it is not one.
 *
 * @param session what `tlsSocket.getSession()` returns
 * @throws RangeError where the encoding ends too soon
 */
export function membersOf(session: Buffer): readonly Element[] {
  const whole = elementAt(withoutNodeMark(session), 0);
  if (whole.identifier !== SEQUENCE) return [];
  const members: Element[] = [];
  for (let offset = 0; offset < whole.contents.length;) {
    const element = elementAt(whole.contents, offset);
    members.push(element);
    offset = element.next;
  }
  return members;
}
