import { createHash, X509Certificate } from 'node:crypto';

/** `x5t#S256` of a certificate: unpadded base64url SHA-256 over its whole DER (RFC 8705 §3.1). Takes PEM (the first certificate counts) or DER. */
export function certificateThumbprint(certificate: string | Uint8Array): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
}
