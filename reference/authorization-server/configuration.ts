import { type Client, type Configuration, errors, type MTLSConfiguration } from 'oidc-provider';
import { subjectMatches } from './client-certificate.ts';
import { fromStored } from './issued-token.ts';
import type { AuthorizationServerParts, Confirmation } from './parts.ts';
import { SESSION_BOUND } from './session-binding.ts';

/** How `oidc-provider` is told of client certificates (RFC 8705). */
export function mutualTls({
  certificateOf,
}: Pick<AuthorizationServerParts, 'certificateOf'>): MTLSConfiguration {
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    tlsClientAuth: true,
    selfSignedTlsClientAuth: true,
    getCertificate: (context) => certificateOf(context)?.x509,
    certificateAuthorized: (context) => certificateOf(context)?.verified ?? false,
    certificateSubjectMatches(context, property, expected) {
      const certificate = certificateOf(context);
      return certificate !== undefined && subjectMatches(certificate.x509, property, expected);
    },
  };
}

type Introspection = NonNullable<NonNullable<Configuration['features']>['introspection']>;

/** A stored token may be looked at by the same clients as a JWT; a refresh token by the client that has it. */
export function introspectionPolicy({
  mayIntrospect,
}: Pick<AuthorizationServerParts, 'mayIntrospect'>): NonNullable<Introspection['allowedPolicy']> {
  return (_context, { clientId }, token) =>
    token.kind === 'RefreshToken' ? token.clientId === clientId : mayIntrospect(clientId, fromStored(token));
}

/** Where `oidc-provider` is extended by configuration for session binding; nothing without that part. */
export function sessionBindingConfiguration({
  sessionBinding,
}: Pick<AuthorizationServerParts, 'sessionBinding'>): Configuration {
  if (sessionBinding === undefined) return {};
  const { readClientMetadata, inToken, tokenType, isAssertion, metadata } = sessionBinding;
  return {
    discovery: metadata,
    extraClientMetadata: {
      properties: [SESSION_BOUND],
      validator(_context, key, value, client) {
        client[key] = readClientMetadata(value);
      },
    },
    formats: {
      customizers: {
        jwt(_context, token, parts) {
          parts.header = { typ: tokenType };
          const confirmation = token.extra?.['cnf'];
          if (confirmation !== undefined)
            parts.payload = inToken(parts.payload, confirmation as Confirmation);
        },
      },
    },
    assertJwtClientAuthClaimsAndHeader(_context, _claims, header) {
      if (!isAssertion(header)) throw new errors.InvalidClientAuth('the JWT is no client assertion');
    },
  };
}

/** Whether a client may revoke a token: only the one that has it (RFC 7009 §2.1). */
export function isOwn({ clientId }: Client, token: { readonly clientId?: string | undefined }): boolean {
  return token.clientId === clientId;
}
