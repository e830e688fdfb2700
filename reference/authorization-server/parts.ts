import type { Client, KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import { type ClientCertificate, certificateOf } from './client-certificate.ts';
import { type ExchangeRequest, readExchangeRequest } from './exchange-request.ts';
import { defaultSessionBinding } from './session-binding.ts';
import { type ProvenKeyOf, provingKey } from './dpop.ts';
import {
  needsNoKey,
  type NeedsNoKey,
  mayExchange,
  mayIntrospect,
  type MayExchange,
  type MayIntrospect,
} from './token-access.ts';
import { verifyJwt, type VerifyJwt } from './token-finder.ts';

/** Members of a token's `cnf`. */
export type Confirmation = UnknownObject;

/** An access token that is about to be issued, as far as its binding depends on it. */
export interface Issuance {
  readonly context: KoaContextWithOIDC;
  readonly client: Client;
  readonly grantType: string;
  /** What the connection of the token request has, whoever vouches for it. */
  readonly certificate: ClientCertificate | undefined;
  /** Whether it succeeds a session-bound token, by token exchange or by the refresh token of one. */
  readonly inherited: boolean;
}

/** Whether the tokens of an exchange are session-bound. */
export interface ExchangedTokens {
  readonly subject: boolean;
  /** Undefined where there is no actor token. */
  readonly actor: boolean | undefined;
}

/** What the draft adds to an authorization server, piece by piece. */
export interface SessionBindingParts {
  /** Members of the server's metadata (RFC 8414). The draft defines none; this one is by analogy with RFC 8705 §3.3. */
  readonly metadata: UnknownObject;
  /**
   * Reads `tls_session_bound_access_tokens` of a client's metadata.
   *
   * @param value `undefined` where the member is absent
   * @throws InvalidClientMetadata (RFC 7591 §3.2.2)
   */
  readonly readClientMetadata: (value: unknown) => boolean;
  readonly isRequired: (issuance: Issuance) => boolean;
  /**
   * The `cnf` of a session-bound token.
   *
   * @returns `undefined` to issue the token without
   * @throws an OAuth error where it cannot be bound
   */
  readonly confirm: (issuance: Issuance) => Confirmation | undefined;
  readonly isInherited: (tokens: ExchangedTokens) => boolean;
  /** `typ` of JWT access tokens (RFC 9068 §2.1). */
  readonly tokenType: string;
  /** The claims of a JWT access token, with the confirmation. */
  readonly inToken: (claims: UnknownObject, confirmation: Confirmation) => UnknownObject;
  /** An active token's introspection response; `confirmation` is `undefined` for one that is not session-bound. */
  readonly inIntrospection: (
    response: UnknownObject,
    confirmation: Confirmation | undefined,
  ) => UnknownObject;
  /** Whether a JWT with this header may authenticate a client (RFC 7523 §2.2). */
  readonly isAssertion: (header: UnknownObject) => boolean;
}

/**
 * The policies that an authorization server is put together from. Each has one default; to change behaviour, give
 * another piece.
 */
export interface AuthorizationServerParts {
  readonly certificateOf: (context: KoaContextWithOIDC) => ClientCertificate | undefined;
  readonly mayExchange: MayExchange;
  readonly needsNoKey: NeedsNoKey;
  readonly mayIntrospect: MayIntrospect;
  readonly verifyJwt: VerifyJwt;
  readonly readExchangeRequest: (parameters: UnknownObject) => ExchangeRequest;
  readonly formatOf: (resource: string, opaqueAudience: string | undefined) => 'jwt' | 'opaque';
  /** How long access tokens are valid, in seconds. */
  readonly lifetime: number;
  /** The same for the resource whose tokens are short-lived. */
  readonly shortLifetime: number;
  readonly exchangesTokens: boolean;
  readonly supportsDpop: boolean;
  /** Verifies the DPoP proof of a token exchange, where DPoP is supported. */
  readonly provenKeyOf: ProvenKeyOf;
  /** Runs around everything else; `next` answers the request. */
  readonly around: (context: KoaContextWithOIDC, next: () => Promise<unknown>) => Promise<void>;
  /** Without it the server is what it was before the draft. */
  readonly sessionBinding: SessionBindingParts | undefined;
}

export const defaultParts: AuthorizationServerParts = {
  certificateOf,
  mayExchange,
  needsNoKey,
  mayIntrospect,
  verifyJwt,
  readExchangeRequest,
  formatOf: (resource, opaqueAudience) => (resource === opaqueAudience ? 'opaque' : 'jwt'),
  lifetime: 300,
  shortLifetime: 2,
  exchangesTokens: true,
  supportsDpop: true,
  provenKeyOf: provingKey(),
  around: async (_context, next) => void (await next()),
  sessionBinding: defaultSessionBinding,
};
