import type { ClientParts } from '../client/parts.ts';
import { defaultClientParts } from '../client/parts.ts';
import { BoundedMap } from '../memory/bounded-map.ts';

/** Most tokens that are known to need a proof. */
const REMEMBERED = 1024;

/**
 * The part of a client that proves a token from the first challenge on, and before it only where it is told to
 * (draft -06 §3.1 step 4: a client cannot see what an opaque token is bound to).
 *
 * @param atOnce the tokens that are proven unasked
 */
export function provingAfterChallenge(atOnce: (token: string) => boolean): Pick<ClientParts, 'proofsOf'> {
  const challenged = new BoundedMap<string, true>(REMEMBERED);
  return {
    proofsOf(basis) {
      const inner = defaultClientParts.proofsOf(basis);
      return {
        proofFor: (request) =>
          challenged.get(request.token) === true || atOnce(request.token)
            ? inner.proofFor(request)
            : undefined,
        knows: (token) => inner.knows(token),
        refused(token, proof) {
          challenged.set(token, true);
          inner.refused(token, proof);
        },
      };
    },
  };
}
