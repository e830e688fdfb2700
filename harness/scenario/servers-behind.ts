import type { TokenIssuer } from '../../certs/token-issuer.ts';
import type { Script, UpstreamRequest } from '../counterpart/resource-server/contract.ts';
import { forgeToken } from '../forge/token.ts';
import { served, status } from './client/answers.ts';
import type { ServersBehind } from './setting.ts';

const JSON_TYPE = ['Content-Type', 'application/json'] as const;
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * Makes the servers behind an intermediary play their parts: the authorization server gives a session-bound token of
 * the intermediary's for each token that is exchanged (RFC 8693 §2.2), and the next server serves every request.
 */
export async function playParts(
  { upstream, tokenEndpoint, identity }: ServersBehind,
  issuer: TokenIssuer,
): Promise<void> {
  const transport = { tls: 'TLSv1.3', http: 'http/1.1' } as const;
  const exchange: Script = (request) => {
    if (parametersOf(request).get('grant_type') !== TOKEN_EXCHANGE)
      return status(400, [JSON_TYPE], '{"error":"unsupported_grant_type"}');
    const response = {
      access_token: forgeToken(issuer, { boundTo: identity }).compact,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 600,
    };
    return status(200, [JSON_TYPE, ['Cache-Control', 'no-store']], JSON.stringify(response));
  };
  await upstream.begin(transport, () => served());
  await tokenEndpoint.begin(transport, exchange);
}

/** The parameters of a token request (RFC 6749 §4, RFC 8693 §2.1). */
export function parametersOf(request: UpstreamRequest): URLSearchParams {
  return new URLSearchParams(request.body.toString());
}
