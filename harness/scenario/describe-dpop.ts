import { createPublicKey } from 'node:crypto';
import type { DpopKey } from '../forge/dpop-proof.ts';
import { ath, readJwt, signatureVerifies } from '../forge/read.ts';
import { cut, isRecord, text, time } from './wording.ts';

/** What a request says with DPoP, and what is known to tell it by. */
export interface DpopSent {
  /** The DPoP proofs, in order. */
  readonly proofs: readonly string[];
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly token: string | null;
  /** Seconds since the epoch. */
  readonly now: number;
  readonly keys: readonly DpopKey[];
  /** Nonces that the target has given. */
  readonly nonces: ReadonlySet<string>;
  /** `jti` values of proofs sent before. */
  readonly proofIdsSeen: ReadonlySet<string>;
}

const FIELD = 'dpop';

/** Describes the DPoP proof of a request, as `dpop…`; nothing where it has none (RFC 9449 §4.2). */
export function describeDpop(sent: DpopSent, description: Map<string, string>): void {
  const [proof, ...more] = sent.proofs;
  if (proof === undefined) return;
  if (more.length > 0) return void description.set('dpop', `${sent.proofs.length} values`);
  const { header, claims, problem } = readJwt(proof);
  if (!isRecord(header) || !isRecord(claims) || problem !== undefined)
    return void description.set('dpop', `text: ${cut(proof)}`);
  const carried = sent.fields
    .filter(([, value]) => value.includes(proof))
    .map(([name]) => name.toLowerCase());
  description.set(
    'dpop',
    carried.length === 1 && carried[0] === FIELD ? 'present' : `in ${carried.join(', ') || 'no field'}`,
  );
  for (const [name, value] of Object.entries(header))
    description.set(`dpop.header.${name}`, name === 'jwk' ? keyName(value, sent.keys) : text(value));
  for (const [name, value] of Object.entries(claims))
    description.set(`dpop.claims.${name}`, claimText(name, value, sent));
  description.set('dpop.signature', signedBy(proof, header['jwk'], sent.keys));
}

function claimText(name: string, value: unknown, sent: DpopSent): string {
  if (name === 'iat' || name === 'exp' || name === 'nbf') return time(value, sent.now);
  if (typeof value !== 'string') return text(value);
  if (name === 'jti') return sent.proofIdsSeen.has(value) ? `used before: ${cut(value, 60)}` : 'fresh';
  if (name === 'ath' && value === ath(sent.token ?? '')) return 'SHA-256 of this token';
  if (name === 'nonce' && sent.nonces.has(value)) return 'a nonce that the target gave';
  return text(value);
}

function keyName(jwk: unknown, keys: readonly DpopKey[]): string {
  const written = JSON.stringify(jwk);
  return keys.find((key) => JSON.stringify(key.jwk) === written)?.name ?? text(jwk);
}

function signedBy(proof: string, jwk: unknown, keys: readonly DpopKey[]): string {
  if (verifiesUnder(proof, jwk)) return 'by the key in its header';
  const signer = keys.find((key) => verifiesUnder(proof, key.jwk));
  return signer === undefined ? 'by no key that the suite knows' : `by ${signer.name}`;
}

function verifiesUnder(proof: string, jwk: unknown): boolean {
  if (!isRecord(jwk)) return false;
  try {
    return signatureVerifies(proof, createPublicKey({ key: jwk, format: 'jwk' }));
  } catch {
    return false;
  }
}
