import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Identity } from '../../certs/identity.ts';

/**
 * Someone who presents another's certificate without having its private key: the handshake's CertificateVerify is then
 * signed by the wrong key (RFC 8446 §4.4.3). TLS libraries refuse a certificate and a key that do not match, but compare
 * the public halves only; so this key claims the victim's public point beside its own private scalar.
 *
 * @param victim whose certificate is presented
 * @param impostor whose key signs; on the same curve as the victim's
 * @throws {Error} unless both keys are on the same elliptic curve
 */
export function impostorOf(victim: Identity, impostor: Identity): Identity {
  const own = createPrivateKey(impostor.privateKey);
  const theirs = new X509Certificate(victim.certificate).publicKey;
  const der = own.export({ type: 'pkcs8', format: 'der' });
  const [ownPoint, theirPoint] = [pointOf(own), pointOf(theirs)];
  const at = der.indexOf(ownPoint);
  if (ownPoint.length !== theirPoint.length || at < 0)
    throw new Error(`an impostor of ${victim.name} needs a key on the curve of the certificate`);
  theirPoint.copy(der, at);
  const body = der.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n');
  return {
    ...victim,
    name: `${impostor.name} with the certificate of ${victim.name}`,
    privateKey: `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`,
  };
}

/** The uncompressed point of an elliptic-curve key (SEC 1 §2.3.3). */
function pointOf(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' });
  if (typeof x !== 'string' || typeof y !== 'string')
    throw new Error('an impostor needs elliptic-curve keys');
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}
