import { decodeBase64url } from './encoding.ts';
import type { Defect, DefectCode } from './defect.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A proof taken apart; nothing in it has been verified. */
export interface ParsedProof {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  /** The octets that the signature covers: both parts as received, with the dot (RFC 7515 §5.2). */
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

/** Longest proof that is looked at, in characters; an honest one has fewer than 2,000. */
const MAXIMUM_PROOF_LENGTH = 8192;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function malformed(code: DefectCode, description: string): Defect {
  return { code, step: 'form', description };
}

/** A JSON object in strict UTF-8. Of repeated members the last one counts (RFC 7519 §4). */
function parseObject(octets: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(octets));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes a proof apart: JWS compact serialization with exactly three non-empty parts of canonical
 * base64url, header and payload JSON objects in UTF-8. Never throws, whatever it is given.
 *
 * Source: draft -06 §2.3, RFC 7515 §5.2, RFC 7519 §7.2.
 *
 * @param maximumLength in characters
 */
export function parseProof(
  compact: string,
  maximumLength: number = MAXIMUM_PROOF_LENGTH,
): ParsedProof | Defect {
  if (compact.length > maximumLength) {
    return malformed('too-long', `the proof is longer than ${maximumLength} characters`);
  }
  const parts = compact.split('.', 4);
  const [header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3 || header === '' || payload === '' || signature === '') {
    return malformed('not-compact', 'the proof is not a JWS in compact serialization with three parts');
  }
  const decoded = [decodeBase64url(header), decodeBase64url(payload), decodeBase64url(signature)] as const;
  if (decoded[0] === undefined || decoded[1] === undefined || decoded[2] === undefined) {
    return malformed('not-base64url', 'a part of the proof is not unpadded base64url');
  }
  const headerObject = parseObject(decoded[0]);
  const claims = parseObject(decoded[1]);
  if (headerObject === undefined || claims === undefined) {
    return malformed('not-json', 'the header or the payload of the proof is not a JSON object in UTF-8');
  }
  return {
    header: headerObject,
    claims,
    signingInput: Buffer.from(compact.slice(0, header.length + 1 + payload.length), 'latin1'),
    signature: decoded[2],
  };
}
