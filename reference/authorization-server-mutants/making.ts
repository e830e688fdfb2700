import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import type { AuthorizationServerParts, SessionBindingParts } from '../authorization-server/parts.ts';
import { defaultSessionBinding } from '../authorization-server/session-binding.ts';
import type { AuthorizationServerVariant } from '../authorization-server/target.ts';

/** The reference with other policies. */
export function withParts(parts: Partial<AuthorizationServerParts>): AuthorizationServerVariant {
  return { parts: () => parts };
}

/** The reference with another piece of what the draft adds. */
export function binding(pieces: Partial<SessionBindingParts>): AuthorizationServerVariant {
  return withParts({ sessionBinding: { ...defaultSessionBinding, ...pieces } });
}

/**
 * The reference that changes what an endpoint answers.
 *
 * @param path of the endpoint, such as `/token`
 */
export function answering(
  path: string,
  change: (body: UnknownObject, context: KoaContextWithOIDC) => UnknownObject,
): AuthorizationServerVariant {
  return withParts({
    async around(context, next) {
      await next();
      const { body } = context;
      if (context.path !== path || typeof body !== 'object' || body === null || Array.isArray(body)) return;
      context.body = change(body as UnknownObject, context);
    },
  });
}

/** A parameter of a token request; `undefined` where it is absent or empty. */
export function parameter({ oidc }: KoaContextWithOIDC, name: string): string | undefined {
  const value = oidc.params?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
