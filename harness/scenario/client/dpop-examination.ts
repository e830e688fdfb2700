import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { UpstreamRequest } from '../../counterpart/resource-server/contract.ts';
import { jwkThumbprint } from '../../forge/dpop-proof.ts';
import { ath, readJwt, signatureVerifies } from '../../forge/read.ts';
import { isRecord, text } from '../wording.ts';
import { algorithmsFor, PRIVATE_MEMBERS } from './certificate-examination.ts';

/** How far `iat` may lie from the clock, in seconds. */
const FRESH = 60;

/** The values of the DPoP fields of a request, in order. */
export function dpopProofsOf({ fields }: Pick<UpstreamRequest, 'fields'>): readonly string[] {
  return fields.filter(([name]) => name.toLowerCase() === 'dpop').map(([, value]) => value);
}

/** What a DPoP proof of a client is held against. */
export interface DpopCircumstances {
  readonly token: string;
  /** `cnf.jkt` of that token. */
  readonly jkt: string;
  readonly request: Pick<UpstreamRequest, 'method' | 'target' | 'receivedAt'>;
  /** `https` origin that the client was told to call. */
  readonly origin: string;
  /** The nonce that it was given; `undefined`: none. */
  readonly nonce?: string | undefined;
}

/** What is wrong with the DPoP proofs of a request, in words; empty for exactly one right proof (RFC 9449 §4.3). */
export function examineDpop(
  proofs: readonly string[],
  { token, jkt, request, origin, nonce }: DpopCircumstances,
): readonly string[] {
  const [proof, ...more] = proofs;
  if (proof === undefined) return ['there is no DPoP proof'];
  if (more.length > 0) return [`there are ${proofs.length} DPoP proofs`];
  const { header, claims, problem } = readJwt(proof);
  if (!isRecord(header) || !isRecord(claims) || problem !== undefined)
    return [`the DPoP proof is not a JWT: ${problem ?? 'no JSON objects'}`];
  const { htm, htu, iat, jti } = claims;
  const path = request.target.replace(/[?#].*$/s, '');
  const wrong: readonly (readonly [isWrong: boolean, what: string])[] = [
    [header['typ'] !== 'dpop+jwt', `its typ is ${text(header['typ'])}`],
    [thumbprintOf(header['jwk']) !== jkt, 'the key in its header is not the one that the token is bound to'],
    [disclosesKey(header['jwk']), 'its header discloses the private key'],
    ...unsuitable(header['alg'], keyOf(header['jwk'])),
    [!isSigned(proof, header['jwk']), 'its signature does not verify under the key in its header'],
    [claims['ath'] !== ath(token), 'ath is not the hash of the token'],
    [htm !== request.method, `htm is ${text(htm)}`],
    [!isSameUri(htu, `${origin}${path}`), `htu is ${text(htu)}`],
    [typeof jti !== 'string' || jti === '', `jti is ${text(jti)}`],
    [
      typeof iat !== 'number' || Math.abs(iat - request.receivedAt / 1000) > FRESH,
      `iat is ${text(iat)}, which is not the time of the request`,
    ],
    [nonce !== undefined && claims['nonce'] !== nonce, `nonce is ${text(claims['nonce'])}`],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, what]) => `the DPoP proof: ${what}`);
}

/** Whether two URIs are the same after normalization; `htu` has neither query nor fragment (RFC 9449 §4.2, §4.3). */
function isSameUri(htu: unknown, expected: string): boolean {
  if (typeof htu !== 'string' || /[?#]/.test(htu)) return false;
  const uri = URL.parse(htu)?.href;
  return uri !== undefined && uri === URL.parse(expected)?.href;
}

function keyOf(jwk: unknown): KeyObject | undefined {
  try {
    return isRecord(jwk) ? createPublicKey({ key: jwk, format: 'jwk' }) : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7518 §3.3, §3.5: RSA keys have 2048 bits or more; §3.4: each curve has its own algorithm. */
const LEAST_RSA_BITS = 2048;

/** What of a key and of the algorithm that the header names does not go together. */
function unsuitable(
  alg: unknown,
  key: KeyObject | undefined,
): readonly (readonly [isWrong: boolean, what: string])[] {
  if (key === undefined) return [];
  const bits = key.asymmetricKeyDetails?.modulusLength ?? LEAST_RSA_BITS;
  const suitable = algorithmsFor(key);
  return [
    [bits < LEAST_RSA_BITS, `its RSA key has ${bits} bits, and must have ${LEAST_RSA_BITS} at least`],
    [
      !suitable.some((algorithm) => algorithm === alg),
      `its alg is ${text(alg)}, and the key in its header is for ${suitable.join(' or ') || 'no known algorithm'}`,
    ],
  ];
}

function disclosesKey(jwk: unknown): boolean {
  return isRecord(jwk) && PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member));
}

function thumbprintOf(jwk: unknown): string | undefined {
  try {
    return isRecord(jwk) ? jwkThumbprint(jwk) : undefined;
  } catch {
    return undefined;
  }
}

function isSigned(proof: string, jwk: unknown): boolean {
  const key = keyOf(jwk);
  return key !== undefined && signatureVerifies(proof, key);
}
