import { isJwt } from '../resource-server/jwt-tokens.ts';
import { connectionKeyOf } from '../resource-server/connection.ts';
import { bearerTokenOf } from '../resource-server/credentials.ts';
import type { Grant } from '../resource-server/token.ts';
import type { Mutant } from './mutant.ts';

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
];
