import { exportJWK, generateKeyPair, type JWK } from 'jose';
import {
  type Client,
  type ClientMetadata,
  type Configuration,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import { introspectionPolicy, isOwn, mutualTls, sessionBindingConfiguration } from './configuration.ts';
import { EXCHANGE_PARAMETERS, TOKEN_EXCHANGE } from './exchange-request.ts';
import { completeIntrospection } from './introspection.ts';
import { createMemoryAdapter } from './memory-adapter.ts';
import type { AuthorizationServerParts, Confirmation } from './parts.ts';
import { createResources, type Resources } from './resources.ts';
import type { Settings } from './settings.ts';
import { type Inheritance, TokenExchange } from './token-exchange.ts';
import { createFinder } from './token-finder.ts';

const ALGORITHM = 'ES256';
/** How long grants and refresh tokens are valid, in seconds. */
const LONG = 86_400;

const CLIENT_AUTHENTICATION = [
  'tls_client_auth',
  'self_signed_tls_client_auth',
  'private_key_jwt',
  'client_secret_basic',
  'client_secret_post',
] as const;

interface SigningKey {
  /** With its private part. */
  readonly jwk: JWK;
  readonly published: JWK;
}

async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const named = { kid: crypto.randomUUID(), alg: ALGORITHM, use: 'sig' };
  return {
    jwk: { ...(await exportJWK(privateKey)), ...named },
    published: { ...(await exportJWK(publicKey)), ...named },
  };
}

/** Without the grant types that this server does not have, so that a client that has others too can be. */
function supported(client: ClientMetadata, { exchangesTokens }: AuthorizationServerParts): ClientMetadata {
  const { grant_types } = client;
  if (exchangesTokens || grant_types === undefined) return client;
  return { ...client, grant_types: grant_types.filter((grant) => grant !== TOKEN_EXCHANGE) };
}

/** Which tokens exist: for client credentials, for a token exchange, and for the refresh tokens of one. */
function grantsConfiguration(
  resources: Resources,
  { lifetime }: Pick<AuthorizationServerParts, 'lifetime'>,
): Configuration {
  return {
    scopes: [...resources.scopes],
    responseTypes: [],
    clientAuthMethods: [...CLIENT_AUTHENTICATION],
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      id_token_signed_response_alg: ALGORITHM,
    },
    // Refresh tokens come with a token exchange, which issues them itself; a rule of one's own switches the grant on.
    issueRefreshToken: () => false,
    rotateRefreshToken: false,
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    ttl: {
      AccessToken: (_context, token) => token.resourceServer?.accessTokenTTL ?? lifetime,
      ClientCredentials: (_context, token) => token.resourceServer?.accessTokenTTL ?? lifetime,
      RefreshToken: LONG,
      Grant: LONG,
    },
  };
}

/** The confirmation of a token that is being issued; `undefined` for one that is not session-bound. */
function confirmationFor(
  { sessionBinding, certificateOf }: AuthorizationServerParts,
  context: KoaContextWithOIDC,
  inheritance: Inheritance | undefined,
): Confirmation | undefined {
  const issuance = {
    context,
    client: context.oidc.client as Client,
    grantType: String(context.oidc.params?.['grant_type']),
    certificate: certificateOf(context),
    inherited: inheritance?.sessionBound ?? false,
  };
  return sessionBinding?.isRequired(issuance) === true ? sessionBinding.confirm(issuance) : undefined;
}

/**
 * An `oidc-provider` configured as the target contract asks: mutual TLS, client credentials, token exchange,
 * introspection, registration, and session binding as its `parts` have it.
 *
 * @throws InvalidClientMetadata for a pre-registered client that cannot be
 */
export async function createProvider(settings: Settings, parts: AuthorizationServerParts): Promise<Provider> {
  const key = await createSigningKey();
  const resources = createResources(
    settings,
    parts,
    async (clientId) => (await provider.Client.find(clientId)) !== undefined,
  );
  const provider: Provider = new Provider(settings.issuer, {
    ...grantsConfiguration(resources, parts),
    ...sessionBindingConfiguration(parts),
    adapter: createMemoryAdapter(),
    clients: settings.clients.map((client) => supported(client, parts)),
    jwks: { keys: [key.jwk] },
    clientBasedCORS: () => false,
    renderError(context, out) {
      context.type = 'json';
      context.body = JSON.stringify(out);
    },
    extraTokenClaims(context, token) {
      const inheritance = exchange.inheritanceOf(token);
      const confirmation = confirmationFor(parts, context, inheritance);
      return {
        ...(inheritance?.actor && { act: inheritance.actor }),
        ...(confirmation && { cnf: confirmation }),
      };
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: { enabled: parts.supportsDpop },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      introspection: { enabled: true, allowedPolicy: introspectionPolicy(parts) },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => isOwn(client, token) },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resources.default,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => resources.find(resource),
      },
      mTLS: mutualTls(parts),
    },
  });

  const find = createFinder(provider, { keys: [key.published] }, parts.verifyJwt);
  const exchange = new TokenExchange({ provider, parts, resources, find });
  if (parts.exchangesTokens) {
    const handle: Parameters<typeof provider.registerGrantType>[1] = (context) => exchange.handle(context);
    provider.registerGrantType(TOKEN_EXCHANGE, handle, EXCHANGE_PARAMETERS, ['resource', 'audience']);
  }
  provider.use(parts.around);
  provider.use(completeIntrospection({ issuer: settings.issuer, parts, find }));
  for (const { client_id } of settings.clients) await provider.Client.find(client_id);
  return provider;
}
