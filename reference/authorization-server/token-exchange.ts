import {
  type AccessToken,
  type Client,
  type ClientCredentials,
  errors,
  type Provider,
  type ResourceServer,
  type TokenEndpointGrantContext,
  type UnknownObject,
} from 'oidc-provider';
import { BoundedMap } from '../memory/bounded-map.ts';
import { type ProvenKey, REMEMBERED_SECONDS } from './dpop.ts';
import { type ExchangeRequest, JWT_TYPE, TOKEN_EXCHANGE } from './exchange-request.ts';
import type { IssuedToken } from './issued-token.ts';
import type { AuthorizationServerParts } from './parts.ts';
import type { Resources } from './resources.ts';
import { isSessionBound, SESSION_BOUND } from './session-binding.ts';
import type { FindToken } from './token-finder.ts';

/** What the tokens of one exchange have from the tokens that were exchanged: the issued one, and those of its refresh token. */
export interface Inheritance {
  readonly sessionBound: boolean;
  /** The `act` claim (RFC 8693 §4.1). */
  readonly actor: UnknownObject | undefined;
}

export interface TokenExchangeOptions {
  readonly provider: Provider;
  readonly parts: AuthorizationServerParts;
  readonly resources: Resources;
  readonly find: FindToken;
}

/** The most exchanges that are remembered; refresh tokens of older ones are refused. */
const REMEMBERED = 10_000;

/** Exchanges tokens, and remembers what their successors inherit. */
export class TokenExchange {
  readonly #options: TokenExchangeOptions;
  /** By grant. */
  readonly #inheritances = new BoundedMap<string, Inheritance>(REMEMBERED);

  constructor(options: TokenExchangeOptions) {
    this.#options = options;
  }

  /**
   * What a token inherits; `undefined` for one that comes from no exchange.
   *
   * @throws InvalidGrant where the exchange is forgotten: its tokens must not lose what they had to inherit
   */
  inheritanceOf(token: AccessToken | ClientCredentials): Inheritance | undefined {
    if (!('gty' in token) || !token.gty.startsWith(TOKEN_EXCHANGE)) return undefined;
    const inheritance = this.#inheritances.get(token.grantId);
    if (inheritance === undefined) throw new errors.InvalidGrant('the exchange was too long ago');
    return inheritance;
  }

  /**
   * Answers a token exchange request (RFC 8693 §2.2).
   *
   * @throws an OAuth error
   */
  async handle(context: TokenEndpointGrantContext): Promise<void> {
    const { provider, parts, resources } = this.#options;
    const { client } = context.oidc;
    const key = parts.supportsDpop ? await parts.provenKeyOf(context) : undefined;
    if (client.dpopBoundAccessTokens === true && key === undefined)
      throw new errors.InvalidRequest('DPoP proof JWT not provided');
    const request = parts.readExchangeRequest(context.oidc.params);
    const accepted = (value: string, as: 'subject' | 'actor') => this.#accepted(context, key, value, as);
    const subject = await accepted(request.subjectToken, 'subject');
    const actor = request.actorToken === undefined ? undefined : await accepted(request.actorToken, 'actor');
    const resource = request.target ?? resources.default;
    const server = await resources.find(resource);
    const scope = scopeOf(request, subject, client, server);
    const sessionBound =
      parts.sessionBinding?.isInherited({
        subject: isSessionBound(subject.confirmation),
        actor: actor && isSessionBound(actor.confirmation),
      }) ?? false;
    const certificateBound =
      sessionBound ||
      (parts.sessionBinding !== undefined && client[SESSION_BOUND] === true) ||
      client.tlsClientCertificateBoundAccessTokens === true;
    const mayBeWithoutKey = parts.needsNoKey(actor === undefined ? [subject] : [subject, actor], {
      certificate: certificateBound,
    });
    if (key === undefined && !mayBeWithoutKey)
      throw new errors.InvalidRequest('a DPoP-bound token is exchanged with a DPoP proof');
    await this.#claim(client, key);
    const grantId = await this.#grant(client, subject, resource, scope);
    this.#inheritances.set(grantId, { sessionBound, actor: actorClaim(client, subject, actor) });

    const token = new provider.AccessToken({
      client,
      accountId: subject.subject,
      grantId,
      gty: TOKEN_EXCHANGE,
      ...(scope !== '' && { scope }),
      resourceServer: new provider.ResourceServer(resource, {
        ...server,
        ...(request.requestedType === JWT_TYPE && { accessTokenFormat: 'jwt' }),
      }),
      // A successor does not outlive what it was exchanged for.
      expiresIn: Math.max(
        1,
        Math.min(server.accessTokenTTL ?? parts.lifetime, subject.expiresAt - Math.floor(Date.now() / 1000)),
      ),
    });
    if (client.tlsClientCertificateBoundAccessTokens === true) {
      const certificate = parts.certificateOf(context);
      if (certificate === undefined)
        throw new errors.InvalidGrant('mutual TLS client certificate not provided');
      token.setThumbprint('x5t', certificate.x509);
    }
    if (key !== undefined) token.setThumbprint('jkt', key.thumbprint);
    context.oidc.entity('AccessToken', token);
    const value = await token.save();
    // With a key of its own it gives no token without a proof of that key.
    const jkt = mayBeWithoutKey ? undefined : key?.thumbprint;
    const refreshToken = await this.#refreshToken(client, subject, { resource, scope, grantId, jkt });
    context.body = {
      access_token: value,
      issued_token_type: request.requestedType,
      token_type: token.tokenType,
      expires_in: token.expiration,
      ...(scope !== '' && { scope }),
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    };
  }

  /** The last check: a request that is refused for something else must not use up the `jti` of its proof. */
  async #claim({ clientId }: Client, key: ProvenKey | undefined): Promise<void> {
    if (key === undefined) return;
    const until = Math.floor(Date.now() / 1000) + REMEMBERED_SECONDS;
    if (!(await this.#options.provider.ReplayDetection.unique(clientId, key.identifier, until)))
      throw new errors.InvalidDpopProof('a DPoP proof with this jti was presented before');
  }

  async #accepted(
    context: TokenEndpointGrantContext,
    key: ProvenKey | undefined,
    value: string,
    as: 'subject' | 'actor',
  ): Promise<IssuedToken> {
    const { find, parts } = this.#options;
    const token = await find(context, value);
    if (token === undefined)
      throw new errors.InvalidRequest(`${as}_token is no valid access token of this server`);
    const requester = {
      clientId: context.oidc.client.clientId,
      certificate: parts.certificateOf(context),
      dpopKey: key?.thumbprint,
      context,
    };
    if (!parts.mayExchange(requester, token, as)) {
      throw new errors.InvalidRequest(`${as}_token is not this client's to exchange`);
    }
    return token;
  }

  async #grant(client: Client, subject: IssuedToken, resource: string, scope: string): Promise<string> {
    const grant = new this.#options.provider.Grant({ clientId: client.clientId, accountId: subject.subject });
    grant.addResourceScope(resource, scope);
    return grant.save();
  }

  /** Clients that registered for the grant get one (RFC 8693 §2.2.1). */
  async #refreshToken(
    client: Client,
    subject: IssuedToken,
    {
      jkt,
      ...grant
    }: {
      readonly resource: string;
      readonly scope: string;
      readonly grantId: string;
      readonly jkt: string | undefined;
    },
  ): Promise<string | undefined> {
    if (!client.grantTypeAllowed('refresh_token')) return undefined;
    const { RefreshToken } = this.#options.provider;
    const common = { client, accountId: subject.subject, gty: TOKEN_EXCHANGE };
    return new RefreshToken({ ...common, ...grant, ...(jkt !== undefined && { jkt }) }).save();
  }
}

/** The scope that is asked for, or all that the subject token has, within what the client may have. */
function scopeOf(
  request: ExchangeRequest,
  subject: IssuedToken,
  client: Client,
  server: ResourceServer,
): string {
  const allowed = new Set((client.scope ?? server.scope).split(' '));
  const grantable = subject.scopes.filter((scope) => allowed.has(scope));
  const missing = request.scopes?.find((scope) => !grantable.includes(scope));
  if (missing !== undefined) throw new errors.InvalidScope('more scope than the subject token has', missing);
  return (request.scopes ?? grantable).join(' ');
}

/** Who acts: the actor token's subject, or else a client that exchanges a token of somebody else's. */
function actorClaim(
  client: Client,
  subject: IssuedToken,
  actor: IssuedToken | undefined,
): UnknownObject | undefined {
  const sub = actor?.subject ?? (client.clientId === subject.clientId ? undefined : client.clientId);
  const before = subject.actor;
  if (sub === undefined) return before === undefined ? undefined : { ...before };
  return { sub, ...(before !== undefined && { act: before }) };
}
