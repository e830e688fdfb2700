import type { Defect } from '../proof/defect.ts';
import { DPOP_ALGORITHMS, DPOP_SCHEME } from '../dpop/vocabulary.ts';
import type { DpopDefect } from '../dpop/verify.ts';
import { ERROR, type ErrorCode } from '../proof/vocabulary.ts';

/** Why a request is not served, and how that is said. */
export interface Refusal {
  readonly status: 400 | 401 | 403;
  /** The scheme of the challenge. Default: Bearer, which the draft's proofs go with. */
  readonly scheme?: typeof DPOP_SCHEME;
  /** Left out where the request carried no token at all (RFC 6750 §3.1). */
  readonly error?: ErrorCode;
  /** Fixed text that quotes nothing of the request. */
  readonly description: string;
  /** The scope that was missing. */
  readonly scope?: string;
  /** What is wrong with the proof; for logs, not for the response. */
  readonly defect?: Defect;
  /** The nonce that the next DPoP proof has to carry (RFC 9449 §9). */
  readonly nonce?: string;
}

export function noToken(): Refusal {
  return { status: 401, description: 'an access token is needed' };
}

export function invalidRequest(description: string): Refusal {
  return { status: 400, error: ERROR.invalidRequest, description };
}

export function invalidToken(description: string): Refusal {
  return { status: 401, error: ERROR.invalidToken, description };
}

export function missingProof(): Refusal {
  return {
    status: 401,
    error: ERROR.useSessionBinding,
    description: 'the access token is bound to TLS sessions, and the request carries no proof',
  };
}

export function invalidProof(defect: Defect): Refusal {
  return { status: 401, error: ERROR.invalidProof, description: defect.description, defect };
}

/** The same refusal, told with a challenge of the DPoP scheme (RFC 9449 §7.1). */
export function underDpop(refusal: Refusal): Refusal {
  return { ...refusal, scheme: DPOP_SCHEME };
}

export function invalidDpop({ error, description, nonce }: DpopDefect): Refusal {
  return { status: 401, scheme: DPOP_SCHEME, error, description, ...(nonce !== undefined && { nonce }) };
}

export function insufficientScope(scope: string): Refusal {
  return { status: 403, error: ERROR.insufficientScope, description: 'the scope is not enough', scope };
}

/** A quoted string whose contents cannot leave it: what RFC 6750 §3 does not permit becomes a space. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, ' ')}"`;
}

/**
 * The `WWW-Authenticate` challenge for a refusal, on one line.
 *
 * Source: draft -06 §3.5, RFC 6750 §3, RFC 9449 §7.1, RFC 9110 §11.6.1.
 */
export function challengeFor(refusal: Refusal, realm: string): string {
  const parameters = [`realm=${quoted(realm)}`];
  if (refusal.error !== undefined) {
    parameters.push(`error=${quoted(refusal.error)}`, `error_description=${quoted(refusal.description)}`);
  }
  if (refusal.scope !== undefined) parameters.push(`scope=${quoted(refusal.scope)}`);
  if (refusal.scheme === DPOP_SCHEME) parameters.push(`algs=${quoted(DPOP_ALGORITHMS.join(' '))}`);
  return `${refusal.scheme ?? 'Bearer'} ${parameters.join(', ')}`;
}
