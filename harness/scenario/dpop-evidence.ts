import { hash } from 'node:crypto';
import { readJwt } from '../forge/read.ts';
import { isRecord } from './wording.ts';

/**
 * DPoP proofs in evidence: unlike a Session-Binding Proof, which is of no use on another connection, one can be presented
 * again by whoever has it, for as long as a server takes its `iat` and does not know its `jti` (RFC 9449 §11.1). Reports
 * have them decoded, and name them by their hash.
 */

/** What a JWS in compact serialization looks like, in whatever text; one that is not signed ends with a dot.
 * Sought from the beginning of a word only: from each of its letters, a long one would take the square of its length. */
const JWS = /(?<![\w-])[\w-]{8,}\.[\w-]{2,}\.[\w-]*/g;
/** The media type, with or without its prefix (RFC 7515 §4.1.9), in any case: a lenient server may take it. */
const DPOP_TYPE = /^(?:application\/)?dpop\+jwt$/i;

type Fields = readonly (readonly [name: string, value: string])[];

/** Names a DPoP proof without giving it away. */
function nameOf(proof: string): string {
  return `<DPoP proof sha-256 ${hash('sha256', proof).slice(0, 16)}…>`;
}

function isDpopProof(compact: string): boolean {
  const { header } = readJwt(compact);
  return isRecord(header) && typeof header['typ'] === 'string' && DPOP_TYPE.test(header['typ']);
}

/**
 * A text with the name of each DPoP proof in its place.
 *
 * @param every true for the DPoP field's own value, where whatever a server might take for a proof is one
 */
export function withoutDpopProofs(text: string, every = false): string {
  if (!text.includes('.')) return text;
  return text.replaceAll(JWS, (compact) => (every || isDpopProof(compact) ? nameOf(compact) : compact));
}

/** Whether a field is the one that carries DPoP proofs (RFC 9449 §4.1). */
export function isDpopField(name: string): boolean {
  return name.toLowerCase() === 'dpop';
}

/** The DPoP proof of a request: in the field, or else wherever there is one; `undefined`: none. */
export function dpopProofIn(fields: Fields): string | undefined {
  const own = fields.find(([name]) => isDpopField(name))?.[1];
  return own ?? fields.flatMap(([, value]) => value.match(JWS) ?? []).find(isDpopProof);
}

/** The hash that names a proof in evidence, in full. */
export function hashOf(proof: string): string {
  return hash('sha256', proof);
}
