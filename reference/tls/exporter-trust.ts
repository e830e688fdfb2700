import type { TLSSocket } from 'node:tls';
import { elementAt, membersOf } from './openssl-session.ts';

/** `[13] EXPLICIT INTEGER`: the flags of OpenSSL's SSL_SESSION. */
const FLAGS = 0xad;
const EXTENDED_MASTER_SECRET = 0x01;

/**
 * Whether a TLS 1.2 session was made with the extended master secret (RFC 7627), read from OpenSSL's
 * serialisation of it, since Node has no call for it. A session that cannot be read counts as one without.
 *
 * @param session what `tlsSocket.getSession()` returns
 */
export function hasExtendedMasterSecret(session: Buffer): boolean {
  try {
    const flags = membersOf(session).find(({ identifier }) => identifier === FLAGS);
    if (flags === undefined) return false;
    return ((elementAt(flags.contents, 0).contents.at(-1) ?? 0) & EXTENDED_MASTER_SECRET) !== 0;
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
