import type { SslSession } from './ssl-session.ts';

/** OpenSSL's SSL_OP_NO_EXTENDED_MASTER_SECRET, which `node:crypto` does not name: leaves the extension out. */
export const NO_EXTENDED_MASTER_SECRET = 1;

/**
 * Whether a connection's master secret is bound to the whole handshake (RFC 7627). TLS 1.3 always is; before, the
 * session remembers whether the extension was negotiated.
 */
export function hasExtendedMasterSecret(protocol: string, session: SslSession | undefined): boolean {
  return protocol === 'TLSv1.3' || (session?.extendedMasterSecret ?? false);
}
