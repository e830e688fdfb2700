import { generateKeyPairSync, sign } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { readSettings } from '../authorization-server/settings.ts';
import { encodeBase64url, thumbprint } from '../proof/encoding.ts';
import { EXPORTER_LABEL } from '../proof/vocabulary.ts';
import type { HttpRequest, HttpResponse } from '../resource-server/http-message.ts';
import { discardBody } from '../resource-server/request-body.ts';
import { createServer, listen, tlsOptionsFor } from '../resource-server/server.ts';
import type { TrivialTarget } from './target.ts';

interface Said {
  readonly status: number;
  readonly body: unknown;
}

/** What is said to a request of an endpoint. */
type Saying = (path: string, request: HttpRequest) => Said;

const PATHS = {
  token_endpoint: '/token',
  introspection_endpoint: '/introspect',
  registration_endpoint: '/register',
};

function metadataOf(issuer: string): Said {
  const endpoints = Object.entries(PATHS).map(([name, path]) => [name, `${issuer}${path}`]);
  return { status: 200, body: { issuer, response_types_supported: [], ...Object.fromEntries(endpoints) } };
}

function answer(response: HttpResponse, { status, body }: Said): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
}

/** A token, and what introspection says of it. */
interface Issue {
  readonly token: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** An access token whose content hangs on nothing but who asked first. */
function issueFor({ socket }: HttpRequest, issuer: string, audience: string, isBound: boolean): Issue {
  const now = Math.floor(Date.now() / 1000);
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  const cnf = { 'x5t#S256': certificate && thumbprint(certificate.raw), tls_exp: EXPORTER_LABEL };
  const claims = {
    iss: issuer,
    aud: audience,
    sub: 'tsbt-bound',
    client_id: 'tsbt-bound',
    iat: now,
    exp: now + 300,
    jti: 'trivial',
    ...(isBound ? { cnf } : {}),
  };
  const header = { typ: 'at+jwt', alg: 'ES256', kid: 'trivial' };
  const input = [header, claims].map((part) => encodeBase64url(JSON.stringify(part))).join('.');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return { token: `${input}.${encodeBase64url(signature)}`, claims };
}

/** Says yes to everything, and gives everybody the one token that it has. */
function oneToken(isBound: boolean, isOpaque = false) {
  return (issuer: string, audience: string): Saying => {
    let issued: Issue | undefined;
    return (path, request) => {
      if (path === PATHS.registration_endpoint) return { status: 201, body: { client_id: 'trivial' } };
      issued ??= issueFor(request, issuer, audience, isBound);
      const { token, claims } = issued;
      if (path === PATHS.introspection_endpoint) return { status: 200, body: { active: true, ...claims } };
      return {
        status: 200,
        body: {
          access_token: isOpaque ? 'one-token-for-everybody' : token,
          token_type: 'Bearer',
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          expires_in: 300,
        },
      };
    };
  };
}

function issuing(
  id: string,
  does: string,
  sayingOf: (issuer: string, audience: string) => Saying,
): TrivialTarget {
  return {
    id,
    role: 'authorization-server',
    does,
    async start(environment) {
      const { host, port, tls, issuer, audience } = readSettings(environment);
      const saying = sayingOf(issuer, audience);
      const listener = (request: HttpRequest, response: HttpResponse): void => {
        discardBody(request);
        const path = request.url ?? '';
        answer(response, path.startsWith('/.well-known/') ? metadataOf(issuer) : saying(path, request));
      };
      const options = { listener, tls: tlsOptionsFor(tls), acceptsConnection: () => true };
      return listen(createServer(options), host, port);
    },
  };
}

/** The same for whoever presents a certificate that leads to the trust anchor. */
function certified(sayingOf: (issuer: string, audience: string) => Saying) {
  return (issuer: string, audience: string): Saying => {
    const saying = sayingOf(issuer, audience);
    return (path, request) =>
      request.socket instanceof TLSSocket && request.socket.authorized
        ? saying(path, request)
        : { status: 401, body: { error: 'invalid_client' } };
  };
}

const refusing = (status: number, error: string) => () => () => ({ status, body: { error } });

/** Authorization servers that look at no request, but have the metadata by which their endpoints are found. */
export const TRIVIAL_AUTHORIZATION_SERVERS: readonly TrivialTarget[] = [
  issuing(
    'T-AS-one-bound',
    'gives everybody one token, bound to the certificate of who asked first',
    oneToken(true),
  ),
  issuing(
    'T-AS-one-for-certified',
    'gives everybody with a certificate the one token that it made for the first',
    certified(oneToken(true)),
  ),
  issuing('T-AS-one-unbound', 'gives everybody one token, bound to nothing', oneToken(false)),
  issuing(
    'T-AS-one-opaque',
    'gives everybody one opaque token, session-bound by introspection',
    oneToken(true, true),
  ),
  issuing('T-AS-all-200', 'answers every endpoint with 200 and an empty object', () => () => ({
    status: 200,
    body: {},
  })),
  issuing(
    'T-AS-all-invalid-request',
    'answers every endpoint with 400 invalid_request',
    refusing(400, 'invalid_request'),
  ),
  issuing(
    'T-AS-all-invalid-client',
    'answers every endpoint with 401 invalid_client',
    refusing(401, 'invalid_client'),
  ),
  issuing('T-AS-all-500', 'answers every endpoint with 500', refusing(500, 'server_error')),
];
