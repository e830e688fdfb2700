import { forgeDpopProof } from '../../harness/forge/dpop-proof.ts';
import type { DpopKey } from '../../harness/forge/dpop-proof.ts';
import type { JwtChange } from '../../harness/forge/jwt.ts';
import type { AuthorizationServerStage } from '../../harness/scenario/authorization-server/authorization-server-stage.ts';
import type { Answer } from '../../harness/scenario/authorization-server/issued.ts';
import type { Field } from '../../harness/wire/connection.ts';

/** DPoP proofs for the token endpoint (RFC 9449 §5): there is no access token yet that they could name. */

/** A way of asking for a token, with these fields. */
type Ask = (fields: readonly Field[]) => Promise<Answer>;

/** A DPoP proof for the token endpoint; right but for the change. */
async function proofForTokenEndpoint(
  stage: AuthorizationServerStage,
  key: DpopKey,
  change: JwtChange,
  nonce: string | undefined,
): Promise<string> {
  const url = new URL(await stage.endpoint('token_endpoint'), stage.setting.issuer);
  return forgeDpopProof(
    { key, token: '', htm: 'POST', htu: `${url.origin}${url.pathname}`, nonce },
    { ...change, claims: { ath: undefined, ...change.claims } },
  );
}

/** The nonce that an answer gives for the next proof (RFC 9449 §8); `undefined`: none. */
function nonceOf({ outcome }: Answer): string | undefined {
  if (outcome.type !== 'response') return undefined;
  return outcome.fields.find(([name]) => name.toLowerCase() === 'dpop-nonce')?.[1];
}

/**
 * Asks for a token with a DPoP proof, once more where a nonce has to be in it.
 *
 * @param change how the proof differs from a right one
 */
export async function withDpop(
  stage: AuthorizationServerStage,
  key: DpopKey,
  ask: Ask,
  change: JwtChange = {},
): Promise<Answer> {
  const once = async (nonce?: string): Promise<Answer> =>
    ask([['DPoP', await proofForTokenEndpoint(stage, key, change, nonce)]]);
  const first = await once();
  const nonce = nonceOf(first);
  return first.json['error'] === 'use_dpop_nonce' && nonce !== undefined ? once(nonce) : first;
}
