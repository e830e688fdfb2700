import type { Dispatcher } from 'undici';

/** Gets a token for the next server in exchange for one that was used here. */
export type TokenExchange = (subjectToken: string) => Promise<string>;

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
/** Longest response that is read, in octets. */
const MAXIMUM_RESPONSE = 65_536;

/** The parameters of a token exchange request (RFC 8693 §2.1). */
export function exchangeParameters(clientId: string, subjectToken: string): Readonly<Record<string, string>> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    client_id: clientId,
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
  };
}

/**
 * Exchanges tokens over mutual TLS, so that what comes is bound to this client's certificate.
 *
 * @param client presents the certificate
 *
 * Source: draft -06 §3.1, §4.6; RFC 8693 §2.1.
 */
export function createTokenExchange(
  client: Dispatcher,
  endpoint: URL,
  clientId: string,
  parameters = exchangeParameters,
): TokenExchange {
  return async (subjectToken) => {
    const { statusCode, body } = await client.request({
      origin: endpoint.origin,
      path: `${endpoint.pathname}${endpoint.search}`,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(parameters(clientId, subjectToken)).toString(),
    });
    let text = '';
    for await (const chunk of body.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > MAXIMUM_RESPONSE) throw new Error('the token response is too long');
    }
    const answer: unknown = JSON.parse(text);
    const token = (answer as { access_token?: unknown } | null)?.access_token;
    if (statusCode !== 200 || typeof token !== 'string') throw new Error('the token was not exchanged');
    return token;
  };
}
