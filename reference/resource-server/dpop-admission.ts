import { type DpopVerification, invalidDpopProof } from '../dpop/verify.ts';
import { dpopKeyOf } from '../proof/confirmation.ts';
import type { Presentation } from './admission.ts';
import type { HttpRequest } from './http-message.ts';
import type { ResourceServerParts } from './parts.ts';
import { invalidDpop, invalidToken, underDpop } from './refusal.ts';

/** Verifies the DPoP proof of a request whose token is bound to a DPoP key. */
export async function verifyDpopOf(
  request: HttpRequest,
  token: string,
  parts: ResourceServerParts,
): Promise<DpopVerification> {
  const [proof, ...more] = parts.dpopProofsOf(request);
  if (proof === undefined || more.length > 0) {
    const description = proof === undefined ? 'there is no DPoP proof' : 'there is more than one DPoP proof';
    return { holds: false, defect: invalidDpopProof(description) };
  }
  const { method = '' } = request;
  return parts.verifyDpop({
    proof,
    token,
    request: { method, ...parts.targetOf(request) },
    now: parts.clock(),
  });
}

/**
 * A DPoP-bound token is not taken as a bearer token, nor any other under the scheme DPoP (RFC 9449 §7.1, §7.2). A
 * session-bound one that has a DPoP key too may come under either: the draft sends Bearer, RFC 9449 its own scheme.
 */
export function checkScheme({ confirmation, request }: Presentation, { isUnderDpop }: ResourceServerParts) {
  const key = dpopKeyOf(confirmation);
  if (isUnderDpop(request)) {
    if (key !== undefined) return undefined;
    return underDpop(invalidToken('the access token is not bound to a DPoP key'));
  }
  if (key === undefined || confirmation.kind === 'session') return undefined;
  return underDpop(invalidToken('the access token is bound to a DPoP key, and needs the scheme DPoP'));
}

/** Whatever else the token is bound to, its DPoP key has to be proven too (draft -06 §4.2, RFC 9449 §7.1). */
export function checkDpopProof({ confirmation, dpop }: Presentation) {
  const key = dpopKeyOf(confirmation);
  if (key === undefined || dpop === undefined) return undefined;
  if (!dpop.holds) return invalidDpop(dpop.defect);
  if (dpop.keyThumbprint === key) return undefined;
  return underDpop(
    invalidToken('the DPoP proof is signed with another key than the access token is bound to'),
  );
}

/** The last check: a request that is refused for something else must not use up the proof's `jti`. */
export function checkDpopIdentifier(presentation: Presentation, { dpopIdentifiers }: ResourceServerParts) {
  const { dpop, tokenHash, grant, now } = presentation;
  if (dpop?.holds !== true) return undefined;
  if (dpopIdentifiers.claim(tokenHash, dpop.identifier, grant.expiresAt, now)) return undefined;
  return invalidDpop(invalidDpopProof('a DPoP proof with this jti was presented before'));
}
