import { TLSSocket } from 'node:tls';
import { errors, type KoaContextWithOIDC, type UnknownObject } from 'oidc-provider';
import { certificateOf } from '../authorization-server/client-certificate.ts';
import type { AuthorizationServerParts, SessionBindingParts } from '../authorization-server/parts.ts';
import { defaultSessionBinding, isSessionBound } from '../authorization-server/session-binding.ts';
import type { AuthorizationServerVariant } from '../authorization-server/target.ts';
import { mayExchange } from '../authorization-server/token-access.ts';
import { DPOP_FIELD } from '../dpop/vocabulary.ts';
import { CONFIRMATION, EXPORTER_LABEL } from '../proof/vocabulary.ts';
import type { HarmlessVariant } from './variant.ts';

function withParts(parts: Partial<AuthorizationServerParts>): AuthorizationServerVariant {
  return { parts: () => parts };
}

function binding(pieces: Partial<SessionBindingParts>): AuthorizationServerVariant {
  return withParts({ sessionBinding: { ...defaultSessionBinding, ...pieces } });
}

/** Serves a request below a path as if it were not below it, and knows its URL nevertheless: DPoP proofs name it. */
function mountAt(context: KoaContextWithOIDC, mountPath: string): void {
  Object.assign(context, { mountPath, path: context.path.slice(mountPath.length) });
}

/** Members in the order of their names, from the last to the first, at every level. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const names = Object.keys(value).sort().reverse();
  return Object.fromEntries(names.map((name) => [name, reversed((value as UnknownObject)[name])]));
}

/** Every harmless variant of the authorization server. */
export const VARIANTS: readonly HarmlessVariant[] = [
  {
    id: 'V-AS-opaque',
    difference: 'all its access tokens are opaque',

    variant: () => withParts({ formatOf: () => 'opaque' }),
  },
  {
    id: 'V-AS-jwt',
    difference: 'all its access tokens are JWTs',
    lacks: ['opaque-tokens'],
    variant: () => withParts({ formatOf: () => 'jwt' }),
  },
  {
    id: 'V-AS-further-members',
    difference: 'cnf has members that nobody knows, and tls_exp stands first',
    variant: () =>
      binding({
        confirm(issuance) {
          const { [CONFIRMATION.exporterLabel]: label, ...others } =
            defaultSessionBinding.confirm(issuance) ?? {};
          return { [CONFIRMATION.exporterLabel]: label, ...others, 'urn:example:member': { level: 1 } };
        },
      }),
  },
  {
    id: 'V-AS-no-exchange',
    difference: 'has no token exchange, and so no refresh tokens',
    lacks: ['token-exchange', 'refresh-tokens'],
    variant: () => withParts({ exchangesTokens: false }),
  },
  {
    id: 'V-AS-order',
    difference: 'writes the members of its answers in another order',
    variant: () =>
      withParts({
        async around(context, next) {
          await next();
          const { body } = context;
          if (typeof body === 'object' && body !== null && !Array.isArray(body))
            context.body = reversed(body);
        },
      }),
  },
  {
    id: 'V-AS-no-metadata',
    difference: 'says nothing of session binding in its metadata',
    variant: () => binding({ metadata: {} }),
  },
  {
    id: 'V-AS-short-lived',
    difference: 'its access tokens are valid for one minute',
    variant: () => withParts({ lifetime: 60 }),
  },
  {
    id: 'V-AS-ten-seconds',
    difference: 'its access tokens are valid for ten seconds',
    variant: () => withParts({ lifetime: 10 }),
  },
  {
    id: 'V-AS-holder-only',
    difference: 'exchanges a session-bound token for nobody but the holder of its key',
    variant: () =>
      withParts({
        mayExchange: (requester, token, as) =>
          isSessionBound(token.confirmation)
            ? token.confirmation[CONFIRMATION.certificate] === requester.certificate?.thumbprint
            : mayExchange(requester, token, as),
      }),
  },
  {
    id: 'V-AS-always-bound',
    difference: 'binds every exchanged token, by its own policy',
    variant: () => binding({ isInherited: () => true }),
  },
  {
    id: 'V-AS-no-dpop',
    difference: 'knows no DPoP, and ignores its proofs',
    lacks: ['dpop'],
    variant: () => withParts({ supportsDpop: false }),
  },
  {
    id: 'V-AS-dpop-not-in-exchange',
    difference: 'refuses a DPoP proof in a token exchange',
    variant: () =>
      withParts({
        async provenKeyOf(context) {
          if (context.get(DPOP_FIELD) === '') return undefined;
          throw new errors.InvalidRequest('DPoP is not supported in a token exchange');
        },
      }),
  },
  {
    id: 'V-AS-dpop-ignored-in-exchange',
    difference: 'ignores the DPoP proof of a token exchange',
    variant: () => withParts({ provenKeyOf: async () => undefined }),
  },
  {
    id: 'V-AS-no-certificate-code',
    difference: 'answers invalid_client, with 401, where a session-bound token lacks a certificate',
    variant: () =>
      binding({
        confirm(issuance) {
          try {
            return defaultSessionBinding.confirm(issuance);
          } catch {
            throw new errors.InvalidClientAuth('a session-bound access token needs a client certificate');
          }
        },
      }),
  },
  {
    id: 'V-AS-no-resumed-certificate',
    difference: 'sees no certificate on a resumed connection, and so refuses',
    variant: () =>
      withParts({
        certificateOf: (context) =>
          context.socket instanceof TLSSocket && context.socket.isSessionReused()
            ? undefined
            : certificateOf(context),
      }),
  },
  {
    id: 'V-AS-any-authority',
    difference:
      'binds to a certificate that no trust anchor vouches for, of a client that another way authenticates',
    variant: () =>
      binding({
        confirm({ certificate }) {
          if (certificate === undefined) throw new errors.InvalidRequest('no client certificate');
          return {
            [CONFIRMATION.certificate]: certificate.thumbprint,
            [CONFIRMATION.exporterLabel]: EXPORTER_LABEL,
          };
        },
      }),
  },
  {
    id: 'V-AS-alias',
    difference: 'has a token endpoint of its own for mutual TLS, as an alias in its metadata (RFC 8705 §5)',
    variant: () =>
      withParts({
        async around(context, next) {
          if (context.path === '/mtls/token') mountAt(context, '/mtls');
          await next();
          if (context.path !== '/.well-known/oauth-authorization-server') return;
          const body = context.body as UnknownObject;
          const alias = String(body['token_endpoint']).replace(/token$/, 'mtls/token');
          context.body = { ...body, mtls_endpoint_aliases: { token_endpoint: alias } };
        },
      }),
  },
  {
    id: 'V-AS-token-type-case',
    difference: 'writes token_type bearer in lower case',
    variant: () =>
      withParts({
        async around(context, next) {
          await next();
          const body = Object.assign({}, context.body) as UnknownObject;
          if (context.path === '/token' && body['token_type'] === 'Bearer') {
            context.body = { ...body, token_type: 'bearer' };
          }
        },
      }),
  },
];
