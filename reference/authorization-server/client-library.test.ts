import * as oauth from 'oauth4webapi';
import { type Agent, fetch } from 'undici';
import { expect, test } from 'vitest';
import { EXPORTER_LABEL } from '../proof/vocabulary.ts';
import {
  AUDIENCE,
  decoded,
  HOP,
  ISSUER,
  OPAQUE_AUDIENCE,
  startAuthorizationServer,
} from './authorization-server.fixture.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './exchange-request.ts';
import { start } from './target.ts';

const through = (dispatcher: Agent) => ({
  [oauth.customFetch]: (url: string, options: oauth.CustomFetchOptions<string, unknown>) =>
    fetch(url, { ...options, dispatcher } as Parameters<typeof fetch>[1]) as unknown as Promise<Response>,
});

test('a client library discovers the server, gets a token, exchanges and introspects it', async () => {
  await using server = await startAuthorizationServer(start);
  const { alice, hop, resource } = server.identities;
  const [asAlice, asHop, asResource] = [alice, hop, resource].map((identity) =>
    through(server.agent(identity)),
  );
  const discovery = await oauth.discoveryRequest(new URL(server.origin), { algorithm: 'oauth2', ...asAlice });
  const as = await oauth.processDiscoveryResponse(new URL(ISSUER), discovery);

  const registered = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      as,
      {
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_subject_dn: 'CN=alice',
        grant_types: ['client_credentials', TOKEN_EXCHANGE],
        tls_session_bound_access_tokens: true,
      },
      asAlice,
    ),
  );
  const client = { client_id: registered.client_id };
  const mutualTls = oauth.TlsClientAuth();
  const first = await oauth.processClientCredentialsResponse(
    as,
    client,
    await oauth.clientCredentialsGrantRequest(as, client, mutualTls, { resource: HOP }, asAlice),
  );
  expect(decoded(first.access_token).claims['cnf']).toEqual({
    'x5t#S256': alice.thumbprint,
    tls_exp: EXPORTER_LABEL,
  });
  expect(first.token_type).toBe('bearer');

  const intermediate = { client_id: HOP };
  const second = await oauth.processGenericTokenEndpointResponse(
    as,
    intermediate,
    await oauth.genericTokenEndpointRequest(
      as,
      intermediate,
      mutualTls,
      TOKEN_EXCHANGE,
      { subject_token: first.access_token, subject_token_type: ACCESS_TOKEN_TYPE, resource: OPAQUE_AUDIENCE },
      asHop,
    ),
  );
  const recipient = { client_id: OPAQUE_AUDIENCE };
  const introspected = await oauth.processIntrospectionResponse(
    as,
    recipient,
    await oauth.introspectionRequest(as, recipient, mutualTls, second.access_token, asResource),
  );
  expect(introspected).toMatchObject({ active: true, sub: client.client_id, client_id: HOP });
  expect(introspected.cnf).toEqual({ 'x5t#S256': hop.thumbprint, tls_exp: EXPORTER_LABEL });

  // The library takes part in the whole flow, but validates no token that has two confirmation members.
  const bearer = { client_id: 'bearer' };
  const third = await oauth.processClientCredentialsResponse(
    as,
    bearer,
    await oauth.clientCredentialsGrantRequest(as, bearer, mutualTls, {}, asAlice),
  );
  const asking = (token: string) =>
    new Request('https://rs.tsbt.test/', { headers: { authorization: `Bearer ${token}` } });
  const claims = await oauth.validateJwtAccessToken(as, asking(third.access_token), AUDIENCE, asAlice);
  expect(claims.client_id).toBe('bearer');
});
