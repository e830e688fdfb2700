import { constants, createHash, verify, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A JWT taken apart for evidence, however broken it is. */
export interface ReadJwt {
  /** Parsed JSON where it parses; else the decoded text; `undefined` where the part is missing. */
  readonly header: unknown;
  readonly claims: unknown;
  /** The parts between dots, as they stand; at most the first eight. */
  readonly parts: readonly string[];
  /** What keeps this from being a JWT in JWS compact serialization, in words. */
  readonly problem?: string;
}

const MOST_PARTS = 8;

/** Unpadded base64url (RFC 7515 §2). */
export function base64url(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64url');
}

/**
 * `ath` of an access token: unpadded base64url SHA-256 over its octets (draft -06 §2.3.2.1). Tokens are
 * ASCII; should one not be, its characters stand for the octets of the header field.
 */
export function ath(token: string): string {
  return createHash('sha256').update(token, 'latin1').digest('base64url');
}

/** `x5t#S256` of a certificate, PEM or DER: unpadded base64url SHA-256 over its whole DER (RFC 8705 §3.1). */
export function thumbprint(certificate: string | Uint8Array): string {
  return createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
}

/** What was read last: evidence looks at each token and proof from several sides. */
const recent = new Map<string, ReadJwt>();
const MOST_RECENT = 32;
/** Characters; longer ones are forged to be a burden, and not to be one here. */
const LONGEST_RECENT = 32_768;

/** Takes a JWT apart. Never throws. What it returns is shared, and frozen at its top. */
export function readJwt(compact: string): ReadJwt {
  const known = recent.get(compact);
  if (known !== undefined) return known;
  const jwt = Object.freeze(takeApart(compact));
  if (compact.length <= LONGEST_RECENT) {
    const [oldest] = recent.keys();
    if (recent.size >= MOST_RECENT && oldest !== undefined) recent.delete(oldest);
    recent.set(compact, jwt);
  }
  return jwt;
}

function takeApart(compact: string): ReadJwt {
  const parts = compact.split('.', MOST_PARTS + 1);
  const [header, claims] = [readPart(parts[0]), readPart(parts[1])];
  const problem = problemOf(parts, header, claims);
  return {
    header: header.value,
    claims: claims.value,
    parts: parts.slice(0, MOST_PARTS),
    ...(problem !== undefined && { problem }),
  };
}

interface ReadPart {
  readonly value: unknown;
  readonly problem?: string;
}

function readPart(part: string | undefined): ReadPart {
  if (part === undefined) return { value: undefined };
  const octets = Buffer.from(part, 'base64url');
  const text = octets.toString('utf8');
  if (octets.toString('base64url') !== part) return { value: text, problem: 'is not canonical base64url' };
  if (!Buffer.from(text).equals(octets)) return { value: text, problem: 'is not UTF-8' };
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { value } : { value, problem: 'is not a JSON object' };
  } catch {
    return { value: text, problem: 'is not JSON' };
  }
}

function problemOf(parts: readonly string[], header: ReadPart, claims: ReadPart): string | undefined {
  if (parts.length !== 3)
    return parts.length > MOST_PARTS ? `more than ${MOST_PARTS} parts` : `${parts.length} of 3 parts`;
  if (header.problem !== undefined) return `the header ${header.problem}`;
  if (claims.problem !== undefined) return `the payload ${claims.problem}`;
  return parts[2] === '' ? 'the signature is empty' : undefined;
}

const HASHES: Readonly<Record<string, string>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' };

/**
 * Whether a JWT's signature verifies under a public key, with the algorithm that its header names where that fits
 * the key. Never throws: what cannot be verified does not verify.
 */
export function signatureVerifies(compact: string, publicKey: KeyObject): boolean {
  const { header, parts } = readJwt(compact);
  const algorithm = typeof header === 'object' && header !== null && 'alg' in header ? header.alg : undefined;
  const [first, second, third] = parts;
  if (
    typeof algorithm !== 'string' ||
    first === undefined ||
    second === undefined ||
    !third ||
    parts.length !== 3
  )
    return false;
  try {
    return verifies(algorithm, publicKey, Buffer.from(`${first}.${second}`), Buffer.from(third, 'base64url'));
  } catch {
    return false;
  }
}

function verifies(algorithm: string, key: KeyObject, input: Buffer, signature: Buffer): boolean {
  const hash = HASHES[algorithm.slice(2)] ?? null;
  switch (key.asymmetricKeyType) {
    case 'ec':
      return (
        algorithm.startsWith('ES') &&
        hash !== null &&
        verify(hash, input, { key, dsaEncoding: 'ieee-p1363' }, signature)
      );
    case 'rsa':
    case 'rsa-pss':
      if (hash === null || !/^[RP]S/.test(algorithm)) return false;
      if (algorithm.startsWith('R')) return verify(hash, input, key, signature);
      return verify(
        hash,
        input,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
        signature,
      );
    case 'ed25519':
      return (algorithm === 'EdDSA' || algorithm === 'Ed25519') && verify(null, input, key, signature);
    case 'ed448':
      return algorithm === 'EdDSA' && verify(null, input, key, signature);
    default:
      return false;
  }
}
