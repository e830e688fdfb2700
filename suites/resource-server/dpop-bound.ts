import { refused } from '../../harness/scenario/expectation.ts';
import type { RequestPlan, TokenPlan, Variation } from '../../harness/scenario/request.ts';
import type { Stage } from '../../harness/scenario/stage.ts';

/** Requests with tokens that are bound to a DPoP key (RFC 9449), alone or beside the draft's binding. */

/** What a token bound to a DPoP key may be presented under: RFC 9449 wants its own scheme, the draft sends Bearer (AMB-32). */
export const SCHEMES = ['DPoP', 'Bearer'] as const;
export type Scheme = (typeof SCHEMES)[number];

export const JKT = 'token.claims.cnf.jkt';

/** The token's field under a scheme. */
export function under(scheme: Scheme): Pick<RequestPlan, 'authorization'> {
  return { authorization: (token) => [['Authorization', `${scheme} ${token}`]] };
}

/** A request with a token that is bound to the client's DPoP key too, with a DPoP proof beside what else is right. */
export function keyBound(stage: Stage, scheme: Scheme, token: TokenPlan = {}): RequestPlan {
  return { token: { jkt: stage.dpopKey, ...token }, dpop: {}, ...under(scheme) };
}

/** A token of RFC 9449 alone. */
export const KEY_ALONE: TokenPlan = { boundTo: null, sessionBound: false };

/** A token of RFC 8705 with a DPoP key, and no session binding. */
export const KEY_AND_CERTIFICATE: TokenPlan = { sessionBound: false };

/** Refused in the manner of either mechanism: which of two missing proofs is named is the target’s choice. */
export const REFUSED = refused('401', '401-dpop');

/** A request with a token bound in both ways, less one proof or both. */
export const MISSING: readonly Variation[] = [
  { what: 'no DPoP proof', change: { dpop: null } },
  { what: 'no Session-Binding Proof', change: { proof: null } },
  { what: 'no proof of either kind', change: { dpop: null, proof: null } },
];

/** Sends a right request; where the target answers it with a nonce, once more with that (RFC 9449 §9). */
async function isTaken(stage: Stage, what: string, plan: RequestPlan): Promise<boolean> {
  const first = await stage.send(what, plan, {}, 'request', 'recorded');
  const { outcome, served } = first;
  if (served || outcome.type !== 'response') return served;
  const nonce = outcome.fields.some(([name]) => name.toLowerCase() === 'dpop-nonce');
  return nonce && (await stage.send(`${what}, with the nonce`, plan, {}, 'request', 'recorded')).served;
}

/** The schemes under which a token with this content is served when every proof is right. */
export async function schemesFor(
  stage: Stage,
  token: TokenPlan = {},
  change: RequestPlan = {},
): Promise<readonly Scheme[]> {
  const taken: Scheme[] = [];
  for (const scheme of SCHEMES) {
    const plan = { ...keyBound(stage, scheme, token), ...change };
    if (await isTaken(stage, `every proof is right, scheme ${scheme}`, plan)) taken.push(scheme);
  }
  return taken;
}

/**
 * The right request with a token that is bound to the TLS session and to a DPoP key, under a scheme that the target
 * takes it under. Without any, no refusal would prove anything.
 */
export async function doublyBound(stage: Stage, token: TokenPlan = {}): Promise<RequestPlan> {
  const [scheme] = await schemesFor(stage, token);
  if (scheme !== undefined) return keyBound(stage, scheme, token);
  return stage.notApplicable(
    'a token that is bound to the TLS session and to a DPoP key is not served under any scheme, though every proof is right; see RS-DPOP-2',
  );
}
