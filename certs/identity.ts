/** The kinds of client key that a TLS client certificate may carry and a proof may be signed with. */
export type KeyType = 'P-256' | 'P-384' | 'P-521' | 'RSA' | 'Ed25519';

/** Every client key type, the one of the core profile first. */
export const KEY_TYPES: readonly KeyType[] = ['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'];

/**
 * A certificate with its private key, as plain data that can cross a process boundary.
 * All PEM texts end in a newline.
 */
export interface Identity {
  /** Short name shown in evidence, such as `alice` or `mallory`. */
  readonly name: string;
  /** `node:crypto` key description: one of {@link KeyType}, or another such as `RSA-1024` or `RSA-PSS`. */
  readonly keyType: string;
  /** The end-entity certificate, PEM. */
  readonly certificate: string;
  /** What is sent in the Certificate message: the end-entity certificate, then any further ones, PEM. */
  readonly chain: string;
  /** PKCS#8 PEM. Never leaves the process in evidence or logs. */
  readonly privateKey: string;
  /** `x5t#S256`: unpadded base64url SHA-256 of the end-entity certificate's DER (RFC 8705 §3.1). */
  readonly thumbprint: string;
}

/** A certification authority of the suite, as plain data. */
export interface Authority {
  readonly name: string;
  /** PEM */
  readonly certificate: string;
  /** PKCS#8 PEM */
  readonly privateKey: string;
}
