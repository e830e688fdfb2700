import type { TLSSocket } from 'node:tls';

/**
 * Signature schemes that a key can sign a TLS 1.3 handshake with, as Node names them (RFC 8446 §4.2.3): curve and hash of
 * ECDSA go together there. On TLS 1.2 any hash does (RFC 5246 §7.4.4).
 */
const SCHEMES: Readonly<Record<string, { readonly 'TLSv1.3': RegExp; readonly 'TLSv1.2': RegExp }>> = {
  'P-256': { 'TLSv1.3': /^ECDSA\+SHA256$/, 'TLSv1.2': /^ECDSA\+/ },
  'P-384': { 'TLSv1.3': /^ECDSA\+SHA384$/, 'TLSv1.2': /^ECDSA\+/ },
  'P-521': { 'TLSv1.3': /^ECDSA\+SHA512$/, 'TLSv1.2': /^ECDSA\+/ },
  RSA: { 'TLSv1.3': /^RSA-PSS\+/, 'TLSv1.2': /^RSA(-PSS)?\+/ },
  'RSA-1024': { 'TLSv1.3': /^RSA-PSS\+/, 'TLSv1.2': /^RSA(-PSS)?\+/ },
  'RSA-PSS': { 'TLSv1.3': /^RSA-PSS\+/, 'TLSv1.2': /^RSA-PSS\+/ },
  Ed25519: { 'TLSv1.3': /^Ed25519/, 'TLSv1.2': /^Ed25519/ },
};

/**
 * Why a client did not present the certificate that it has: a handshake goes on without one where the server asks for
 * none, or names no signature scheme that the key can sign with (RFC 8446 §4.4.2.3), and nothing else tells of it.
 *
 * @param socket a client's, after its handshake
 * @returns in words; `undefined` where it was presented, or that is not known
 */
export function whyWithheld(socket: TLSSocket, keyType: string): string | undefined {
  const tls = socket.getProtocol();
  if ((tls !== 'TLSv1.3' && tls !== 'TLSv1.2') || socket.isSessionReused()) return undefined;
  // Of the server's CertificateRequest, as far as they are known here.
  const offered = socket.getSharedSigalgs();
  if (offered.length === 0) return 'the target asked for none in the handshake';
  const schemes = SCHEMES[keyType]?.[tls];
  if (schemes === undefined) return undefined;
  const fitting = offered.filter((scheme) => schemes.test(scheme));
  if (keyType === 'RSA-PSS' ? fitting.some(isTwice) : fitting.length > 0) return undefined;
  return `the target takes no signature by ${keyType} keys in the ${tls} handshake`;
}

/** Node has one name for a scheme of RSA keys in general and that of keys for PSS alone; the first one servers must know (RFC 8446 §9.1). */
function isTwice(scheme: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(scheme) < index;
}
