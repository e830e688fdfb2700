import { createHash, X509Certificate } from 'node:crypto';

/**
 * tls-server-end-point (RFC 5929 §4.1): the hash of the server's certificate with the hash function of its signature,
 * where MD5 and SHA-1 become SHA-256. A signature without one (Ed25519) is taken with SHA-256.
 */
export function serverEndPointOf(certificate: Uint8Array): Buffer {
  const algorithm = new X509Certificate(certificate).signatureAlgorithm ?? '';
  const bits = /sha-?(384|512)/i.exec(algorithm)?.[1] ?? '256';
  return createHash(`sha${bits}`).update(certificate).digest();
}
