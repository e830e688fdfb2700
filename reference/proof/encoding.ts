import { hash } from 'node:crypto';

/** Unpadded base64url (RFC 7515 §2). */
export function encodeBase64url(octets: Uint8Array | string): string {
  return Buffer.from(octets).toString('base64url');
}

/**
 * Decodes unpadded base64url strictly: no padding, no other alphabet, no white space, and only the
 * canonical form, whose unused last bits are zero (RFC 4648 §3.5).
 *
 * @returns the octets, or `undefined` where the text is anything else
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64url');
  // Node skips over whatever is not base64url: what it has skipped is missing when the octets are encoded again.
  return octets.toString('base64url') === text ? octets : undefined;
}

/** `x5t#S256`: base64url SHA-256 of a certificate's DER (RFC 8705 §3.1). */
export function thumbprint(der: Uint8Array): string {
  return hash('sha256', der, 'base64url');
}

/** `ath`: base64url SHA-256 of the access token's ASCII octets as presented (draft -06 §2.3.2.1). */
export function accessTokenHash(token: string): string {
  return hash('sha256', token, 'base64url');
}
