/** What a validated access token grants. */
export interface Grant {
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** The `cnf` claim as it stands in the token or the introspection response. */
  readonly confirmation: unknown;
  /** Seconds since 1970-01-01 UTC; `undefined` where the issuer did not say. */
  readonly expiresAt: number | undefined;
}

/** The grant, or `undefined` for a token that is not valid, for whatever reason. */
export type TokenValidator = (token: string, now: number) => Promise<Grant | undefined> | Grant | undefined;

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Reads a grant from JWT claims (RFC 9068 §2.2) or an introspection response (RFC 7662 §2.2). */
export function readGrant(claims: Readonly<Record<string, unknown>>): Grant {
  return {
    subject: text(claims['sub']),
    clientId: text(claims['client_id']),
    scopes: (text(claims['scope']) ?? '').split(' ').filter((scope) => scope !== ''),
    confirmation: claims['cnf'],
    expiresAt: typeof claims['exp'] === 'number' ? claims['exp'] : undefined,
  };
}
