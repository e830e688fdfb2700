import type { AuthorizationServerStage } from './authorization-server-stage.ts';
import { confirmationOf } from './issued.ts';
import type { IssuedToken } from './issued.ts';

/**
 * The `cnf` of a token, wherever it can be seen: in the token itself, or by introspection of one that is opaque. Without
 * members where there is none. Ends the scenario where neither is possible.
 *
 * @param resource that the token is for
 */
export async function seenConfirmation(
  stage: AuthorizationServerStage,
  what: string,
  token: IssuedToken,
  resource: string = stage.registry.audience,
): Promise<Readonly<Record<string, unknown>>> {
  if (token.claims !== null) return confirmationOf(token.claims) ?? {};
  if (!stage.claims('introspection'))
    return stage.notApplicable(
      'its access tokens are opaque, and it claims no introspection: what they are bound to is not seen',
    );
  const { identities, hop } = stage.registry;
  const by = resource === hop ? identities.hop : identities.resource;
  const { json, text } = await stage.introspect(`${what}, introspected`, token, { by }, resource);
  return json['active'] === true
    ? (confirmationOf(json) ?? {})
    : stage.inconclusive(`${what} is opaque, and introspection does not tell what it is bound to (${text})`);
}

/** Whether a confirmation makes a token session-bound; of what value the member is, is another matter (draft -06 §2.4). */
export function isSessionBound(confirmation: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(confirmation, 'tls_exp');
}
