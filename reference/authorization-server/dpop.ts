import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import {
  createDpopVerifier,
  defaultDpopChecks,
  defaultDpopRules,
  type DpopVerifier,
} from '../dpop/verify.ts';
import { DPOP_FIELD } from '../dpop/vocabulary.ts';

/** The key that a token request proves by DPoP. */
export interface ProvenKey {
  /** RFC 7638 SHA-256 thumbprint: the value of `cnf.jkt`. */
  readonly thumbprint: string;
  /** The proof's `jti`. */
  readonly identifier: string;
}

/**
 * The key that a token request proves; `undefined` where it has no DPoP proof.
 *
 * @throws InvalidDpopProof (RFC 9449 §5)
 */
export type ProvenKeyOf = (context: KoaContextWithOIDC) => Promise<ProvenKey | undefined>;

/** How long the `jti` of a proof has to be remembered, in seconds. */
export const REMEMBERED_SECONDS = defaultDpopRules.pastSeconds + defaultDpopRules.futureSeconds;

/** At the token endpoint there is no access token yet that a proof could name (RFC 9449 §5). */
export const tokenRequestChecks = defaultDpopChecks.without('token-hash');

/**
 * Composes the part that finds the key of a token request. `oidc-provider` verifies the proofs of its own grants alone.
 *
 * Source: RFC 9449 §4.3, §5.
 */
export function provingKey(
  verify: DpopVerifier = createDpopVerifier({ checks: tokenRequestChecks }),
): ProvenKeyOf {
  return async (context) => {
    const proof = context.get(DPOP_FIELD);
    if (proof === '') return undefined;
    const { host, pathname } = new URL(context.oidc.urlFor('token'));
    const request = { method: context.method, authority: host, path: pathname };
    const result = await verify({ proof, token: '', request, now: Date.now() / 1000 });
    if (!result.holds) throw new errors.InvalidDpopProof(result.defect.description);
    return { thumbprint: result.keyThumbprint, identifier: result.identifier };
  };
}
