import { isJwt } from '../resource-server/jwt-tokens.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { bearerTokenOf } from '../resource-server/credentials.ts';
import type { Grant } from '../resource-server/token.ts';
import type { TargetVariant } from '../resource-server/target.ts';
import type { Mutant } from './mutant.ts';

/** The reference that remembers what introspection said, active or not, under a key made from the token. */
function remembering(
  keyOf: (token: string) => string,
  keeps: (grant: Grant | undefined) => boolean,
): () => TargetVariant {
  return () => {
    const known = new Map<string, Grant | undefined>();
    return {
      parts: ({ validateToken }) => ({
        async validateToken(token, now) {
          if (isJwt(token)) return validateToken(token, now);
          const key = keyOf(token);
          const remembered = known.get(key);
          if (known.has(key) && (remembered?.expiresAt ?? Number.POSITIVE_INFINITY) > now) return remembered;
          const grant = await validateToken(token, now);
          if (keeps(grant)) known.set(key, grant);
          return grant;
        },
      }),
    };
  };
}

/** Mistakes with introspection, and with validity that ends while a binding is cached (draft -06 §3.4, §3.3.2 step 5b). */
export const introspectionMutants: readonly Mutant[] = [
  {
    id: 'M-RS-90',
    mistake: 'asks about every token, and ignores the cnf member of the introspection response',
    breaks: ['RS-INT-1', 'RS-INT-2'],
    variant: () => ({
      parts: ({ validateToken, introspect }) => ({
        async validateToken(token, now) {
          const local = isJwt(token) ? await validateToken(token, now) : undefined;
          if (isJwt(token) && local === undefined) return undefined;
          const answer = await introspect?.(token, now);
          // Of a JWT that the issuer does not know, what it says itself goes on to count.
          return answer === undefined ? local : { ...answer, confirmation: local?.confirmation };
        },
      }),
    }),
  },
  {
    id: 'M-RS-193',
    mistake: 'asks about every token, and lets the introspection response replace what a JWT says',
    breaks: ['RS-INT-2'],
    variant: () => ({
      parts: ({ validateToken, introspect }) => ({
        validateToken: async (token, now) => (await introspect?.(token, now)) ?? validateToken(token, now),
      }),
    }),
  },
  {
    id: 'M-RS-194',
    mistake: 'remembers with a binding that its token was valid, and does not look again',
    breaks: ['RS-INT-3'],
    variant: () => {
      const bindings = new WeakMap<object, Map<string, Grant>>();
      let grants = new Map<string, Grant>();
      return {
        parts: ({ validateToken }) => ({
          // Called right before the validation, with nothing awaited in between.
          tokenOf(request) {
            const key = connectionKeyOf(request) ?? request;
            grants = bindings.get(key) ?? new Map<string, Grant>();
            bindings.set(key, grants);
            return bearerTokenOf(request);
          },
          validateToken(token, now) {
            const own = grants;
            const known = own.get(token);
            if (known !== undefined) return known;
            return Promise.resolve(validateToken(token, now)).then((grant) => {
              if (grant !== undefined) own.set(token, grant);
              return grant;
            });
          },
        }),
      };
    },
  },
  {
    id: 'M-RS-540',
    mistake: 'remembers tokens that introspection calls active by their first 64 characters',
    breaks: ['RS-INT-3'],
    variant: remembering(
      (token) => token.slice(0, 64),
      (grant) => grant !== undefined,
    ),
  },
  {
    id: 'M-RS-541',
    mistake: 'remembers tokens that introspection calls active in a column compared without letter case',
    breaks: ['RS-INT-3'],
    variant: remembering(
      (token) => token.toLowerCase(),
      (grant) => grant !== undefined,
    ),
  },
  {
    id: 'M-RS-542',
    mistake: 'remembers tokens that introspection calls inactive by their first 64 characters',
    breaks: ['RS-INT-3'],
    variant: remembering(
      (token) => token.slice(0, 64),
      (grant) => grant === undefined,
    ),
  },
  {
    id: 'M-RS-543',
    mistake: 'remembers tokens that introspection calls inactive by their octets in either base64 alphabet',
    breaks: ['RS-INT-3'],
    variant: remembering(
      (token) => Buffer.from(token, 'base64').toString('hex'),
      (grant) => grant === undefined,
    ),
  },
];
