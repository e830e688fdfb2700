import { decodeProtectedHeader, type JWTPayload } from 'jose';
import type { AccessToken, ClientCredentials, Provider } from 'oidc-provider';

/** An access token of this server, as it was issued and is still valid. */
export interface IssuedToken {
  readonly format: 'jwt' | 'opaque';
  readonly subject: string;
  /** To whom it was issued. */
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  /** Seconds since 1970-01-01 UTC. */
  readonly expiresAt: number;
  /** Its `cnf`; without members for a bearer token. */
  readonly confirmation: Readonly<Record<string, unknown>>;
  /** Its `act` (RFC 8693 §4.1). */
  readonly actor: unknown;
}

/** Everything that is found in the claims of a JWT, or beside an opaque token. */
function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function words(scope: unknown): readonly string[] {
  return typeof scope === 'string' && scope !== '' ? scope.split(' ') : [];
}

/** Whether a token is a JWT rather than opaque. */
export function isJwt(token: string): boolean {
  try {
    return typeof decodeProtectedHeader(token).alg === 'string';
  } catch {
    return false;
  }
}

/** A JWT access token's claims (RFC 9068 §2.2) in the form of {@link IssuedToken}. */
export function fromClaims(claims: JWTPayload): IssuedToken {
  return {
    format: 'jwt',
    subject: String(claims.sub),
    clientId: String(claims['client_id']),
    audience: [claims.aud ?? []].flat(),
    scopes: words(claims['scope']),
    expiresAt: claims.exp ?? 0,
    confirmation: record(claims['cnf']),
    actor: claims['act'],
  };
}

/** A stored access token in the form of {@link IssuedToken}. */
export function fromStored(token: AccessToken | ClientCredentials): IssuedToken {
  const clientId = token.clientId ?? '';
  const thumbprint = token['x5t#S256'];
  return {
    format: 'opaque',
    subject: 'accountId' in token ? token.accountId : clientId,
    clientId,
    audience: [token.aud ?? []].flat(),
    scopes: words(token.scope),
    expiresAt: token.exp ?? 0,
    confirmation: {
      ...(thumbprint !== undefined && { 'x5t#S256': thumbprint }),
      ...(token.jkt !== undefined && { jkt: token.jkt }),
      ...record(token.extra?.['cnf']),
    },
    actor: token.extra?.['act'],
  };
}

/** Finds an opaque access token that is valid. */
export async function findOpaque(provider: Provider, value: string): Promise<IssuedToken | undefined> {
  const found = (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
  return found?.isValid === true ? fromStored(found) : undefined;
}
