import * as oauth from 'oauth4webapi';
import { Agent, fetch } from 'undici';
import type { Identity } from '../../certs/identity.ts';

/** An OAuth client at an authorization server, through a client library as a real one would be: with mutual TLS, and nothing of this suite's. */
export interface OAuthClient extends AsyncDisposable {
  /**
   * A token by client credentials.
   *
   * @param resource that it is for (RFC 8707)
   * @throws {Error} as the library says why it was refused, or why the response is not one of the standards
   */
  token(resource: string): Promise<string>;
  /** A token in exchange for another (RFC 8693); throws as {@link token}. */
  exchange(subjectToken: string, resource: string): Promise<string>;
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * Discovers an authorization server (RFC 8414) as one of its clients.
 *
 * @param authorities PEM trust anchors for it
 */
export async function oauthClient(
  issuer: string,
  clientId: string,
  identity: Identity,
  authorities: string,
): Promise<OAuthClient> {
  const agent = new Agent({
    connect: { ca: authorities, cert: identity.chain, key: identity.privateKey },
  });
  const through = {
    [oauth.customFetch]: (url: string, options: oauth.CustomFetchOptions<string, unknown>) =>
      fetch(url, { ...options, dispatcher: agent } as Parameters<
        typeof fetch
      >[1]) as unknown as Promise<Response>,
  };
  const identifier = new URL(issuer);
  const server = await oauth.processDiscoveryResponse(
    identifier,
    await oauth.discoveryRequest(identifier, { algorithm: 'oauth2', ...through }),
  );
  const client = { client_id: clientId };
  const authentication = oauth.TlsClientAuth();
  return {
    async token(resource) {
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        authentication,
        { resource },
        through,
      );
      return (await oauth.processClientCredentialsResponse(server, client, response)).access_token;
    },
    async exchange(subjectToken, resource) {
      const parameters = { subject_token: subjectToken, subject_token_type: ACCESS_TOKEN, resource };
      const response = await oauth.genericTokenEndpointRequest(
        server,
        client,
        authentication,
        TOKEN_EXCHANGE,
        parameters,
        through,
      );
      return (await oauth.processGenericTokenEndpointResponse(server, client, response)).access_token;
    },
    [Symbol.asyncDispose]: () => agent.close(),
  };
}

/** The JWK Set of an authorization server (RFC 7517 §5), from where its metadata says. */
export async function keysOf(issuer: string, authorities: string): Promise<object> {
  await using agent = disposable(new Agent({ connect: { ca: authorities } }));
  const read = async (url: string): Promise<Record<string, unknown>> =>
    (await (await fetch(url, { dispatcher: agent.value })).json()) as Record<string, unknown>;
  const metadata = await read(`${issuer}/.well-known/oauth-authorization-server`);
  return read(String(metadata['jwks_uri']));
}

function disposable<T extends Agent>(value: T): AsyncDisposable & { readonly value: T } {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
