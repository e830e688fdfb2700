import { CONFIRMATION, EXPORTER_LABEL } from './vocabulary.ts';

/**
 * What a token's `cnf` claim demands of the one who presents it.
 * - `none`: a plain bearer token
 * - `key`: a DPoP proof with the key of that thumbprint, and nothing else (RFC 9449)
 * - `certificate`: the client certificate of that thumbprint (RFC 8705)
 * - `session`: the certificate, and a proof for this connection (draft -06 §2.4)
 * - `unusable`: a confirmation that cannot be enforced; such a token is refused, never served unbound
 *
 * `dpopKey` beside a certificate is one binding more: each has to be met (draft -06 §4.2).
 */
export type Confirmation =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly dpopKey: string }
  | { readonly kind: 'certificate'; readonly thumbprint: string; readonly dpopKey?: string }
  | {
      readonly kind: 'session';
      readonly thumbprint: string;
      readonly label: string;
      readonly dpopKey?: string;
    }
  | { readonly kind: 'unusable'; readonly description: string };

/** `jkt` of the DPoP key that a token is bound to; `undefined` where it is bound to none. */
export function dpopKeyOf(confirmation: Confirmation): string | undefined {
  return 'dpopKey' in confirmation ? confirmation.dpopKey : undefined;
}

/**
 * Reads a validated token's `cnf` claim. Any `tls_exp` at all, of whatever type, makes the token
 * session-bound; one that cannot be enforced makes it unusable, and so does a `jkt` that is not a text.
 * Unknown members are ignored beside a known one.
 *
 * Source: draft -06 §2.4, §3.3.2 steps 5c and 5d; RFC 8705 §3.1; RFC 9449 §6.1; RFC 7800 §3.1.
 */
export function readConfirmation(cnf: unknown): Confirmation {
  if (cnf === undefined) return { kind: 'none' };
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) {
    return { kind: 'unusable', description: 'the cnf claim of the access token is not an object' };
  }
  const members = cnf as Readonly<Record<string, unknown>>;
  const dpopKey = members[CONFIRMATION.dpopKey];
  if (Object.hasOwn(members, CONFIRMATION.dpopKey) && (typeof dpopKey !== 'string' || dpopKey === '')) {
    return { kind: 'unusable', description: 'the cnf claim of the access token has no usable jkt' };
  }
  const others = [CONFIRMATION.certificate, CONFIRMATION.exporterLabel];
  if (typeof dpopKey === 'string' && others.every((name) => !Object.hasOwn(members, name))) {
    return { kind: 'key', dpopKey };
  }
  const key = typeof dpopKey === 'string' ? { dpopKey } : {};
  const thumbprint = members[CONFIRMATION.certificate];
  if (typeof thumbprint !== 'string' || thumbprint === '') {
    return { kind: 'unusable', description: 'the cnf claim of the access token has no usable x5t#S256' };
  }
  if (!Object.hasOwn(members, CONFIRMATION.exporterLabel)) {
    return { kind: 'certificate', thumbprint, ...key };
  }
  const label = members[CONFIRMATION.exporterLabel];
  if (label !== EXPORTER_LABEL) {
    return {
      kind: 'unusable',
      description: 'tls_exp of the access token is not an exporter label known here',
    };
  }
  return { kind: 'session', thumbprint, label, ...key };
}
