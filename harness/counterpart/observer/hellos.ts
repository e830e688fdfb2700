/** What the first messages of a TLS handshake say in the clear. */
export interface Hellos {
  /** The version that the server chose. */
  readonly tls: 'TLSv1.3' | 'TLSv1.2' | 'older';
  /** Whether the server resumed a session that the client had offered. */
  readonly resumed: boolean;
}

const HANDSHAKE = 22;
const RECORD_HEADER = 5;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const SUPPORTED_VERSIONS = 43;
const PRE_SHARED_KEY = 41;
const TLS12 = 0x0303;
const TLS13 = 0x0304;
/** The random of a ServerHello that is a HelloRetryRequest (RFC 8446 §4.1.3). */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/**
 * Reads what a relay sees of a handshake (RFC 8446 §4.1, RFC 5246 §7.4.1): the version, and whether it resumes a session:
 * on TLS 1.3 the server names a pre-shared key, on TLS 1.2 it repeats the session ID that the client sent.
 *
 * @param sent what the client sent first
 * @param received what the server sent first
 * @returns `undefined` as long as there is no whole ServerHello, or none at all
 */
export function readHellos(sent: Buffer, received: Buffer): Hellos | undefined {
  const server = messagesOf(received)
    .filter(({ type }) => type === SERVER_HELLO)
    .map(({ body }) => helloOf(body))
    .find((hello) => hello !== undefined && !hello.random.equals(RETRY));
  if (server === undefined) return undefined;
  const chosen = server.extensions.get(SUPPORTED_VERSIONS)?.readUInt16BE(0) ?? server.version;
  if (chosen === TLS13) return { tls: 'TLSv1.3', resumed: server.extensions.has(PRE_SHARED_KEY) };
  const client = messagesOf(sent)
    .filter(({ type }) => type === CLIENT_HELLO)
    .map(({ body }) => helloOf(body))[0];
  const repeated = server.sessionId.length > 0 && client?.sessionId.equals(server.sessionId) === true;
  return { tls: chosen === TLS12 ? 'TLSv1.2' : 'older', resumed: repeated };
}

interface Message {
  readonly type: number;
  readonly body: Buffer;
}

/** The whole handshake messages at the beginning of a flight, as far as it is in the clear. */
function messagesOf(octets: Buffer): readonly Message[] {
  const fragments: Buffer[] = [];
  for (let at = 0; at + RECORD_HEADER <= octets.length;) {
    const length = octets.readUInt16BE(at + 3);
    const end = at + RECORD_HEADER + length;
    if (octets[at] === HANDSHAKE) fragments.push(octets.subarray(at + RECORD_HEADER, end));
    at = end;
  }
  const flight = Buffer.concat(fragments);
  const messages: Message[] = [];
  for (let at = 0; at + 4 <= flight.length;) {
    const end = at + 4 + flight.readUIntBE(at + 1, 3);
    if (end > flight.length) break;
    messages.push({ type: flight[at] ?? 0, body: flight.subarray(at + 4, end) });
    at = end;
  }
  return messages;
}

interface Hello {
  readonly version: number;
  readonly random: Buffer;
  readonly sessionId: Buffer;
  /** Of a ServerHello; a ClientHello's are not read. */
  readonly extensions: ReadonlyMap<number, Buffer>;
}

/** `undefined` for a body that breaks off. */
function helloOf(body: Buffer): Hello | undefined {
  try {
    const idLength = body.readUInt8(34);
    const sessionId = body.subarray(35, 35 + idLength);
    const extensions = new Map<number, Buffer>();
    // Cipher suite and compression method stand in between: 2 and 1 octets in a ServerHello.
    const from = 35 + idLength + 3;
    if (from + 2 <= body.length) {
      const end = Math.min(body.length, from + 2 + body.readUInt16BE(from));
      for (let at = from + 2; at + 4 <= end;) {
        const length = body.readUInt16BE(at + 2);
        extensions.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + length));
        at += 4 + length;
      }
    }
    return { version: body.readUInt16BE(0), random: body.subarray(2, 34), sessionId, extensions };
  } catch {
    return undefined;
  }
}
