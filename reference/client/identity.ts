import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { ProofSigner } from '../proof/create.ts';

/** The client certificate and its key, PEM. */
export interface ClientIdentity {
  /** Chain, end-entity certificate first. */
  readonly certificate: string;
  readonly key: string;
  /** Of an encrypted key. */
  readonly passphrase?: string;
}

/**
 * The end-entity certificate and the key of an identity, for making proofs.
 *
 * @throws where one of them cannot be read
 */
export function signerOf({
  certificate,
  key,
  passphrase,
}: ClientIdentity): ProofSigner & { readonly certificate: X509Certificate } {
  return {
    key: createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) }),
    certificate: new X509Certificate(certificate),
  };
}

export function isSameIdentity(one: ClientIdentity, other: ClientIdentity): boolean {
  return one.certificate === other.certificate && one.key === other.key;
}
