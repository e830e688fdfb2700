import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import { type ClientCertificate, certificateOf } from '../authorization-server/client-certificate.ts';
import { defaultParts, type Issuance } from '../authorization-server/parts.ts';
import { defaultSessionBinding, SESSION_BOUND } from '../authorization-server/session-binding.ts';
import { CONFIRMATION, EXPORTER_LABEL } from '../proof/vocabulary.ts';
import { binding, withParts } from './making.ts';
import type { AuthorizationServerMutant } from './mutant.ts';

/** The reference that finds another rule for when tokens are session-bound. */
function requiring(isRequired: (issuance: Issuance, byDefault: boolean) => boolean) {
  return binding({
    isRequired: (issuance) => isRequired(issuance, defaultSessionBinding.isRequired(issuance)),
  });
}

function parameter({ context }: Issuance, name: string): unknown {
  return context.oidc.body?.[name];
}

/** Serves a request below a path as if it were not below it, and knows its URL nevertheless: DPoP proofs name it. */
function mountAt(context: KoaContextWithOIDC, mountPath: string): void {
  Object.assign(context, { mountPath, path: context.path.slice(mountPath.length) });
}

/** Which client a token request says that it is of. */
function clientOf({ path, oidc }: KoaContextWithOIDC): string | undefined {
  const clientId = path === '/token' ? oidc.body?.['client_id'] : undefined;
  return typeof clientId === 'string' ? clientId : undefined;
}

/** Mistakes with which tokens are bound, and with clients that say so (draft -06 §3.1, §3.2). */
export const issuingMutants: readonly AuthorizationServerMutant[] = [
  {
    id: 'M-AS-10',
    mistake: 'binds the tokens of client credentials alone',
    breaks: ['AS-REG-1', 'AS-TX-1', 'AS-GRANT-2'],
    variant: () => requiring(({ grantType }, byDefault) => byDefault && grantType === 'client_credentials'),
  },
  {
    id: 'M-AS-12',
    mistake: 'issues an unbound token where there is no certificate',
    breaks: ['AS-GRANT-1', 'AS-REG-4'],
    variant: () =>
      binding({
        confirm: (issuance) =>
          issuance.certificate === undefined ? undefined : defaultSessionBinding.confirm(issuance),
      }),
  },
  {
    id: 'M-AS-13',
    mistake: 'binds only tokens of clients that authenticate by mutual TLS',
    breaks: ['AS-REG-4'],
    variant: () =>
      requiring(({ client }, byDefault) => byDefault && client.clientAuthMethod?.includes('tls') === true),
  },
  {
    id: 'M-AS-14',
    mistake: 'takes any text but "false" for true, and "false" for false',
    breaks: ['AS-REG-3'],
    variant: () => binding({ readClientMetadata: (value = false) => value !== 'false' && Boolean(value) }),
  },
  {
    id: 'M-AS-15',
    mistake: 'binds the tokens of every client that does not say otherwise',
    breaks: ['AS-REG-2'],
    variant: () =>
      binding({ readClientMetadata: (value = true) => defaultSessionBinding.readClientMetadata(value) }),
  },
  {
    id: 'M-AS-113',
    mistake: 'lets a request switch session binding off',
    breaks: ['AS-REG-4'],
    variant: () =>
      requiring(
        (issuance, byDefault) =>
          byDefault &&
          ![SESSION_BOUND, 'tls_session_bound'].some((name) => parameter(issuance, name) === 'false'),
      ),
  },
  {
    id: 'M-AS-114',
    mistake: 'binds only tokens for which a scope is asked',
    breaks: ['AS-REG-1'],
    variant: () =>
      requiring((issuance, byDefault) => byDefault && parameter(issuance, 'scope') !== undefined),
  },
  {
    id: 'M-AS-115',
    mistake: 'binds only tokens for the resource that a request names',
    breaks: ['AS-REG-1'],
    variant: () =>
      requiring(
        (issuance, byDefault) =>
          byDefault &&
          (parameter(issuance, 'resource') !== undefined || issuance.grantType !== 'client_credentials'),
      ),
  },
  {
    id: 'M-AS-116',
    mistake: 'lets tls_client_certificate_bound_access_tokens: false switch session binding off',
    breaks: ['AS-REG-1', 'AS-REG-5'],
    variant: () =>
      requiring(
        ({ client }, byDefault) => byDefault && client.tlsClientCertificateBoundAccessTokens === true,
      ),
  },
  {
    id: 'M-AS-117',
    mistake: 'gives session binding to clients that asked for certificate-bound tokens',
    breaks: ['AS-REG-2'],
    variant: () =>
      requiring(
        ({ client }, byDefault) => byDefault || client.tlsClientCertificateBoundAccessTokens === true,
      ),
  },
  {
    id: 'M-AS-118',
    mistake: 'ignores a flag that is no boolean',
    breaks: ['AS-REG-3'],
    variant: () => binding({ readClientMetadata: (value) => value === true }),
  },
  {
    id: 'M-AS-214',
    mistake: 'takes the flag for true wherever it is present',
    breaks: ['AS-REG-2', 'AS-REG-3'],
    variant: () => binding({ readClientMetadata: (value) => value !== undefined }),
  },
  {
    id: 'M-AS-210',
    mistake: 'does not tell the flag of a client when its metadata is read',
    breaks: ['AS-REG-6'],
    variant: () =>
      withParts({
        async around(context, next) {
          await next();
          if (context.method !== 'GET' || !context.path.startsWith('/reg/')) return;
          const { [SESSION_BOUND]: _none, ...body } = context.body as UnknownObject;
          context.body = body;
        },
      }),
  },
  {
    id: 'M-AS-204',
    mistake: 'says "yes" of session binding in its metadata',
    breaks: ['AS-META-1'],
    variant: () => binding({ metadata: { [SESSION_BOUND]: 'yes' } }),
  },
  {
    id: 'M-AS-205',
    mistake: 'binds only tokens that are JWTs',
    breaks: ['AS-INT-4'],
    variant() {
      const opaque = new Set<unknown>();
      return withParts({
        formatOf(resource, opaqueAudience) {
          const format = defaultParts.formatOf(resource, opaqueAudience);
          if (format === 'opaque') opaque.add(resource);
          return format;
        },
        sessionBinding: {
          ...defaultSessionBinding,
          isRequired: (issuance) =>
            defaultSessionBinding.isRequired(issuance) && !opaque.has(parameter(issuance, 'resource')),
        },
      });
    },
  },
  {
    id: 'M-AS-207',
    mistake: 'remembers a client’s certificate by its client_id, and asks for it no more',
    breaks: ['AS-CNF-3', 'AS-GRANT-1', 'AS-GRANT-2'],
    variant() {
      const known = new Map<string, ClientCertificate>();
      return withParts({
        certificateOf(context) {
          const actual = certificateOf(context);
          const clientId = clientOf(context);
          if (clientId === undefined) return actual;
          const certificate = known.get(clientId) ?? actual;
          if (certificate?.verified === true) known.set(clientId, certificate);
          return certificate;
        },
      });
    },
  },
  {
    id: 'M-AS-215',
    mistake: 'remembers the certificate of a client that has signed its own, and asks for it no more',
    breaks: ['AS-GRANT-1'],
    variant() {
      const known = new Map<string, ClientCertificate>();
      return withParts({
        certificateOf(context) {
          const actual = certificateOf(context);
          const clientId = clientOf(context);
          if (clientId === undefined) return actual;
          if (actual !== undefined && actual.x509.issuer === actual.x509.subject) known.set(clientId, actual);
          return known.get(clientId) ?? actual;
        },
      });
    },
  },
  {
    id: 'M-AS-208',
    mistake: 'binds no token at the endpoint beside the one for mutual TLS',
    breaks: ['AS-REG-4'],
    variant() {
      const plain = new WeakSet<KoaContextWithOIDC>();
      return withParts({
        sessionBinding: {
          ...defaultSessionBinding,
          isRequired: (issuance) =>
            defaultSessionBinding.isRequired(issuance) && !plain.has(issuance.context),
        },
        async around(context, next) {
          if (context.path === '/token') plain.add(context);
          if (context.path === '/mtls/token') mountAt(context, '/mtls');
          await next();
          if (context.path === '/.well-known/oauth-authorization-server') {
            const body = context.body as UnknownObject;
            const alias = String(body['token_endpoint']).replace(/token$/, 'mtls/token');
            context.body = { ...body, mtls_endpoint_aliases: { token_endpoint: alias } };
          }
        },
      });
    },
  },
  {
    id: 'M-AS-120',
    mistake: 'binds a token without a certificate to an empty thumbprint',
    breaks: ['AS-GRANT-1', 'AS-CNF-6'],
    variant: () =>
      binding({
        confirm: (issuance) =>
          issuance.certificate === undefined
            ? { [CONFIRMATION.certificate]: '', [CONFIRMATION.exporterLabel]: EXPORTER_LABEL }
            : defaultSessionBinding.confirm(issuance),
      }),
  },
  {
    id: 'M-AS-121',
    mistake: 'binds a client’s tokens for good once one of its tokens was bound',
    breaks: ['AS-REG-2'],
    variant() {
      const thumbprints = new Set<string>();
      return requiring(({ context }, byDefault) => {
        const { thumbprint = '' } = certificateOf(context) ?? {};
        if (byDefault) thumbprints.add(thumbprint);
        return thumbprints.has(thumbprint);
      });
    },
  },
  {
    id: 'M-AS-122',
    mistake: 'binds no token of a refresh token',
    breaks: ['AS-GRANT-2', 'AS-TX-8'],
    variant: () => requiring(({ grantType }, byDefault) => byDefault && grantType !== 'refresh_token'),
  },
];
