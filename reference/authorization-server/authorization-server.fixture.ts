import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Agent, type buildConnector, type Dispatcher, request } from 'undici';
import type { Identity } from '../../certs/identity.ts';
import { issue } from '../../certs/issue.ts';
import { createPki, type Pki } from '../../certs/pki.ts';
import { selfSigned } from '../../certs/self-signed.ts';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './exchange-request.ts';
import type { RunningTarget } from './target.ts';

export const ISSUER = 'https://as.tsbt.test';
export const AUDIENCE = 'https://rs.tsbt.test';
export const OPAQUE_AUDIENCE = 'https://opaque.tsbt.test';
/** Its tokens are valid for two seconds. */
export const SHORT_LIVED_AUDIENCE = 'https://brief.tsbt.test';
/** A resource server that is a client too, as in the middle of a chain. */
export const HOP = 'https://b.tsbt.test';
/** A resource server that authenticates with a secret. */
export const WITH_SECRET = 'https://secret.tsbt.test';
export const SECRET = 'a-secret-that-is-long-enough-for-a-test';

/** A JSON answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How an agent connects. */
export interface AgentOptions {
  readonly allowH2?: boolean;
  readonly connect?: buildConnector.BuildOptions;
}

type Form = Readonly<Record<string, string>>;

/** An authorization server with clients of every kind, and what a test needs to talk to it. */
export interface AuthorizationServerBench extends AsyncDisposable {
  readonly pki: Pki;
  readonly identities: Readonly<
    Record<'alice' | 'again' | 'hop' | 'resource' | 'mallory' | 'own' | 'stranger', Identity>
  >;
  /** Where it listens; its issuer identifier is another. */
  readonly origin: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: readonly string[];
  agent(identity: Identity | undefined, options?: AgentOptions): Agent;
  post(path: string, form: Form, identity?: Identity, fields?: Form): Promise<Answer>;
  send(
    path: string,
    options: { method: string; body?: string; headers?: Form; identity?: Identity },
  ): Promise<Answer>;
  /** A token by client credentials; the parameters of the request beside `client_id`. */
  token(clientId: string, identity: Identity | undefined, form?: Form): Promise<Answer>;
  exchange(clientId: string, identity: Identity | undefined, subject: string, form?: Form): Promise<Answer>;
  introspect(token: string, clientId?: string, identity?: Identity): Promise<Answer>;
}

const GRANTS = ['client_credentials', TOKEN_EXCHANGE];

function client(client_id: string, certificate: string, further: Readonly<Record<string, unknown>> = {}) {
  return {
    client_id,
    token_endpoint_auth_method: 'tls_client_auth',
    tls_client_auth_subject_dn: `CN=${certificate}`,
    grant_types: GRANTS,
    scope: 'tsbt.read tsbt.scoped',
    ...further,
  };
}

const BOUND = { tls_session_bound_access_tokens: true };

function clients(own: Identity, alice: Identity): readonly object[] {
  const x509 = new X509Certificate(own.certificate);
  const jwk = { ...x509.publicKey.export({ format: 'jwk' }), x5c: [x509.raw.toString('base64')] };
  const key = new X509Certificate(alice.certificate).publicKey.export({ format: 'jwk' });
  const secret = { token_endpoint_auth_method: 'client_secret_basic', client_secret: SECRET };
  return [
    client('alice', 'alice', BOUND),
    client('both', 'alice', { ...BOUND, tls_client_certificate_bound_access_tokens: true }),
    client('refreshing', 'alice', { ...BOUND, grant_types: [...GRANTS, 'refresh_token'] }),
    client('certificate', 'alice', { tls_client_certificate_bound_access_tokens: true }),
    client('bearer', 'alice'),
    client('unflagged', 'alice', { tls_session_bound_access_tokens: false }),
    client(HOP, 'hop', { grant_types: [...GRANTS, 'refresh_token'] }),
    client(AUDIENCE, 'resource'),
    client(OPAQUE_AUDIENCE, 'resource'),
    client('mallory', 'mallory', { tls_client_certificate_bound_access_tokens: true }),
    {
      ...client('own', ''),
      ...BOUND,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [jwk] },
    },
    { ...client('secret', ''), ...BOUND, ...secret },
    { ...client(WITH_SECRET, ''), ...secret },
    { ...client('key', ''), ...BOUND, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } },
  ];
}

/** A JWT's header and claims. */
export function decoded(token: unknown) {
  const text = String(token);
  return { header: decodeProtectedHeader(text), claims: decodeJwt(text) };
}

export function accessToken({ body }: Answer): string {
  if (typeof body['access_token'] !== 'string') throw new Error(`no token: ${JSON.stringify(body)}`);
  return body['access_token'];
}

type Starting = (
  environment: Readonly<Record<string, string>>,
  context: { readonly log: (line: string) => void },
) => Promise<RunningTarget>;

/** Identities and files that several servers can be started with, one after the other or at once. */
export interface Foundation extends AsyncDisposable {
  readonly pki: Pki;
  readonly identities: AuthorizationServerBench['identities'];
  /** The variables but for issuer and address. */
  readonly environment: Readonly<Record<string, string>>;
}

export async function layFoundation(): Promise<Foundation> {
  const [pki, own, folder] = await Promise.all([
    createPki(),
    selfSigned('own'),
    mkdtemp(join(tmpdir(), 'authorization-server-')),
  ]);
  const alice = pki.alice['P-256'];
  const [again, hop, resource, stranger] = await Promise.all([
    issue(pki.trusted, { name: 'alice', keyType: 'P-256', key: alice.privateKey, intermediates: 1 }),
    issue(pki.trusted, { name: 'hop', keyType: 'P-256' }),
    issue(pki.trusted, { name: 'resource', keyType: 'P-256' }),
    issue(pki.stranger, { name: 'alice', keyType: 'P-256' }),
  ]);
  const file = async (name: string, contents: string) => {
    const path = join(folder, name);
    await writeFile(path, contents);
    return path;
  };
  return {
    pki,
    identities: { alice, again, hop, resource, mallory: pki.mallory, own, stranger },
    environment: {
      TSBT_ROLE: 'authorization-server',
      TSBT_AUDIENCE: AUDIENCE,
      TSBT_OPAQUE_AUDIENCE: OPAQUE_AUDIENCE,
      TSBT_SHORT_LIVED_AUDIENCE: SHORT_LIVED_AUDIENCE,
      TSBT_TLS_CERT_FILE: await file('server.crt', pki.server.chain),
      TSBT_TLS_KEY_FILE: await file('server.key', pki.server.privateKey),
      TSBT_CLIENT_CA_FILE: await file('clients.crt', pki.trusted.certificate),
      TSBT_CLIENTS_FILE: await file('clients.json', JSON.stringify(clients(own, alice))),
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Starts an authorization server on a free port; with a foundation of its own, unless one is given. */
export async function startAuthorizationServer(
  start: Starting,
  given?: Foundation,
): Promise<AuthorizationServerBench> {
  const foundation = given ?? (await layFoundation());
  const { pki, identities } = foundation;
  const environment = {
    ...foundation.environment,
    TSBT_LISTEN: '127.0.0.1:0',
    TSBT_ISSUER: ISSUER,
  };
  const log: string[] = [];
  const target = await start(environment, { log: (line) => log.push(line) });
  const origin = `https://localhost:${target.port}`;
  const agents: Agent[] = [];
  const agent = (identity: Identity | undefined, options: AgentOptions = {}) => {
    const made = new Agent({
      allowH2: false,
      ...options,
      connect: {
        ca: pki.trusted.certificate,
        maxCachedSessions: 0,
        ...(identity && { cert: identity.chain, key: identity.privateKey }),
        ...options.connect,
      },
    });
    agents.push(made);
    return made;
  };
  const byIdentity = new Map<Identity | undefined, Dispatcher>();
  const dispatcherOf = (identity: Identity | undefined) => {
    const dispatcher = byIdentity.get(identity) ?? agent(identity);
    byIdentity.set(identity, dispatcher);
    return dispatcher;
  };
  const send: AuthorizationServerBench['send'] = async (path, { method, body, headers, identity }) => {
    const response = await request(`${origin}${path}`, {
      dispatcher: dispatcherOf(identity),
      method,
      headers: { accept: 'application/json', ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await response.body.text();
    return {
      status: response.statusCode,
      headers: response.headers,
      body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    };
  };
  const post: AuthorizationServerBench['post'] = (path, form, identity, fields) =>
    send(path, {
      method: 'POST',
      body: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...fields },
      ...(identity && { identity }),
    });
  return {
    pki,
    identities,
    origin,
    environment,
    log,
    agent,
    post,
    send,
    token: (client_id, identity, form) =>
      post('/token', { grant_type: 'client_credentials', client_id, ...form }, identity),
    exchange: (client_id, identity, subject_token, form) =>
      post(
        '/token',
        {
          grant_type: TOKEN_EXCHANGE,
          client_id,
          subject_token,
          subject_token_type: ACCESS_TOKEN_TYPE,
          ...form,
        },
        identity,
      ),
    introspect: (token, client_id = AUDIENCE, identity = identities.resource) =>
      post('/token/introspection', { token, client_id }, identity),
    async [Symbol.asyncDispose]() {
      await Promise.all(agents.map((each) => each.destroy()));
      await target.close();
      if (given === undefined) await foundation[Symbol.asyncDispose]();
    },
  };
}
