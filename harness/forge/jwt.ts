import { keyMaterial } from './keys.ts';
import type { SigningKey } from './keys.ts';
import { encodePart, signer } from './jws.ts';

/** A JWT as it ought to be. */
export interface RightJwt {
  /** Header members besides `alg`. */
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly algorithm: string;
  readonly key: SigningKey;
}

/**
 * How a JWT differs from the right one. Every stage that comes after a change is done over again, so that a JWT with a
 * changed claim has a valid signature; `signature` and `compact` come last and leave the rest as it is.
 */
export interface JwtChange {
  /** Header members to set; `undefined` removes. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Claims to set; `undefined` removes. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Algorithm to sign with; the header's `alg` follows, unless `header` gives one. */
  readonly algorithm?: string;
  /** Key to sign with; does not change `alg`. */
  readonly signWith?: SigningKey;
  /** Makes the header's octets from its JSON text. */
  readonly headerText?: (right: string) => string | Uint8Array;
  /** Makes the payload's octets from its JSON text. */
  readonly payloadText?: (right: string) => string | Uint8Array;
  /** Makes the signature's octets from the right ones. */
  readonly signature?: (right: Buffer, signingInput: Buffer) => Buffer;
  /** Makes the final text from the compact serialization. */
  readonly compact?: (right: string) => string;
}

/** Builds a JWT in JWS compact serialization, right but for the change. */
export function forgeJwt(right: RightJwt, change: JwtChange = {}): string {
  const algorithm = change.algorithm ?? right.algorithm;
  const header = JSON.stringify({ ...right.header, alg: algorithm, ...change.header });
  const claims = JSON.stringify({ ...right.claims, ...change.claims });
  const input = [
    encodePart(change.headerText === undefined ? header : change.headerText(header)),
    encodePart(change.payloadText === undefined ? claims : change.payloadText(claims)),
  ].join('.');
  const octets = Buffer.from(input);
  const signature = signer(algorithm, keyMaterial(change.signWith ?? right.key))(octets);
  const sent = change.signature === undefined ? signature : change.signature(signature, octets);
  const compact = `${input}.${sent.toString('base64url')}`;
  return change.compact === undefined ? compact : change.compact(compact);
}

/** Whether a JWT with this change is signed as it should be: nothing of the change touches key, algorithm or octets. */
export function isPlainlySigned(change: JwtChange): boolean {
  return (
    !Object.hasOwn(change.header ?? {}, 'alg') && TOUCHING.every((member) => change[member] === undefined)
  );
}

const TOUCHING = ['algorithm', 'signWith', 'headerText', 'payloadText', 'signature', 'compact'] as const;
