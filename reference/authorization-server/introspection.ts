import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import { CONFIRMATION } from '../proof/vocabulary.ts';
import { type IssuedToken, isJwt } from './issued-token.ts';
import type { AuthorizationServerParts, Confirmation } from './parts.ts';
import type { FindToken } from './token-finder.ts';

export interface IntrospectionOptions {
  readonly issuer: string;
  readonly parts: Pick<AuthorizationServerParts, 'mayIntrospect' | 'sessionBinding'>;
  readonly find: FindToken;
}

function sessionBindingOf(cnf: unknown): Confirmation | undefined {
  const members = typeof cnf === 'object' && cnf !== null ? (cnf as Confirmation) : {};
  return CONFIRMATION.exporterLabel in members ? members : undefined;
}

/** RFC 7662 §2.2 */
function described(issuer: string, token: IssuedToken): UnknownObject {
  const { subject, clientId, audience, scopes, expiresAt, confirmation, actor } = token;
  return {
    active: true,
    iss: issuer,
    sub: subject,
    client_id: clientId,
    aud: audience.length === 1 ? audience[0] : audience,
    exp: expiresAt,
    token_type: 'jkt' in confirmation ? 'DPoP' : 'Bearer',
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(Object.keys(confirmation).length > 0 && { cnf: confirmation }),
    ...(actor !== undefined && { act: actor }),
  };
}

/**
 * Completes what oidc-provider says of a token: it introspects no JWTs, and puts only the confirmation members into
 * `cnf` that it knows. It runs around the endpoint, whose client authentication has held where a token was looked at.
 *
 * Source: RFC 7662 §2; draft -06 §2.4, §3.4.
 */
export function completeIntrospection({ issuer, parts, find }: IntrospectionOptions) {
  const { mayIntrospect, sessionBinding } = parts;
  const completed = (response: UnknownObject, confirmation: Confirmation | undefined) =>
    sessionBinding?.inIntrospection(response, confirmation) ?? response;

  async function introspectJwt(context: KoaContextWithOIDC, value: string): Promise<UnknownObject> {
    const token = await find(context, value);
    const caller = context.oidc.client?.clientId;
    if (token === undefined || caller === undefined || !mayIntrospect(caller, token))
      return { active: false };
    return completed(described(issuer, token), sessionBindingOf(token.confirmation));
  }

  return async (context: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    await next();
    // oidc-provider adds what it knows of a request only where one of its routes answered.
    const { oidc } = context as Partial<KoaContextWithOIDC>;
    if (oidc?.route !== 'introspection') return;
    const body = context.body as UnknownObject;
    const value = oidc.params?.['token'];
    if (body['error'] === 'unsupported_token_type' && typeof value === 'string' && isJwt(value)) {
      context.status = 200;
      context.body = await introspectJwt(context, value);
      return;
    }
    if (body['active'] !== true) return;
    const token = oidc.entities.AccessToken ?? oidc.entities.ClientCredentials;
    context.body = completed(body, sessionBindingOf(token?.extra?.['cnf']));
  };
}
