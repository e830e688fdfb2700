import { X509Certificate } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';
import { publicKeyOf } from './keys.ts';

/** Octets that an attacker knows, and that a confused verifier may take for an HMAC key. */
export interface HmacKey {
  /** What the octets are, in words. */
  readonly name: string;
  readonly key: Buffer;
}

/**
 * Every HMAC key that can be made from public material of a request (RFC 8725 §2.1): a verifier that hands the
 * certificate's public key to whatever algorithm the header names accepts one of them.
 */
export function hmacKeys(basis: {
  readonly identity: Identity;
  readonly ekm: Buffer;
  readonly token: string;
}): readonly HmacKey[] {
  const { identity, ekm, token } = basis;
  const publicKey = publicKeyOf(identity);
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const jwk =
    publicKey.asymmetricKeyType === 'rsa-pss'
      ? undefined
      : JSON.stringify(publicKey.export({ format: 'jwk' }));
  const candidates: readonly (readonly [string, string | Buffer])[] = [
    ['the public key as PEM', spki],
    ['the public key as PEM without its final newline', spki.trimEnd()],
    ['the public key as DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['the certificate as PEM', identity.certificate],
    ['the certificate as PEM without its final newline', identity.certificate.trimEnd()],
    ['the certificate as DER', new X509Certificate(identity.certificate).raw],
    ...(jwk === undefined ? [] : [['the public key as JWK', jwk] as const]),
    ['the x5t#S256 text', identity.thumbprint],
    ['the exporter value', ekm],
    ['the access token', token],
    ['the empty key', ''],
  ];
  return candidates.map(([name, key]) => ({ name, key: Buffer.from(key) }));
}
