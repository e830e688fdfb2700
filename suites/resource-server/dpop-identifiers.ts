import { refused } from '../../harness/scenario/expectation.ts';
import type { Stage } from '../../harness/scenario/stage.ts';
import { doublyBound } from './dpop-bound.ts';
import type { Carrier, ChosenClaims, Presented } from './presented-identifiers.ts';

/**
 * Identifiers of DPoP proofs, on requests with a token bound in both ways. RFC 9449 §11.1 has a server remember one for
 * as long as it would accept the proof, so it is always the same proof that is presented again.
 */
export async function inDpopProofs(stage: Stage): Promise<Carrier> {
  const base = await doublyBound(stage);
  const made = new Map<string, string>();
  return {
    field: 'dpop.claims.jti',
    judgedBy: 'RS-DPOP-1.replayed',
    refusal: refused('401', '401-dpop'),
    mint: (change = {}) => stage.mint({ subject: 'alice', jkt: stage.dpopKey, ...change }),
    first(_on, token, claims: ChosenClaims) {
      const dpop = stage.dpopProof(token, { claims: { ...claims } });
      made.set(`${token.sha256} ${claims.jti}`, dpop);
      return { ...base, token, dpop };
    },
    again: (_on, { token, claims }: Presented) => ({
      ...base,
      token,
      dpop: made.get(`${token.sha256} ${claims.jti}`) ?? null,
    }),
  };
}
