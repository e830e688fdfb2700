import type { TokenPlan, Variation } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** Tokens that differ from the right one in their confirmation (draft -06 §2.4). */

export const REGISTERED_LABEL = 'EXPORTER-oauth-tls-session-bound';

/** As `describe` names them. */
export const TLS_EXP = 'token.claims.cnf.tls_exp';
export const THUMBPRINT = 'token.claims.cnf.x5t#S256';

/** A token that is bound to the certificate only (RFC 8705). */
export const CERTIFICATE_BOUND: TokenPlan = { sessionBound: false };
/** A plain bearer token. */
export const UNBOUND: TokenPlan = { boundTo: null, sessionBound: false };

/** A token with another `cnf`, without proof. */
export function withoutProof(what: string, token: TokenPlan, differs: readonly string[]): Variation {
  return { what: `${what}, no proof`, change: { token, proof: null }, differs: [...differs, 'proof'] };
}

/** The members of a right `cnf`, for tokens that have more or other ones. */
export function rightMembers(stage: Stage): Readonly<Record<string, unknown>> {
  return { 'x5t#S256': stage.alice.thumbprint, tls_exp: REGISTERED_LABEL };
}

/**
 * Goes on only where a session-bound token without proof is refused on a new connection: else nothing that is added
 * to it, or put before it, can be what makes the target lax.
 */
export async function demandsProof(stage: Stage): Promise<void> {
  const { served } = await stage.send(
    'a session-bound token without proof',
    { proof: null },
    { on: await stage.connect() },
  );
  if (served) stage.notApplicable('session-bound tokens are served without a proof anyway; see RS-CNF-1');
}
