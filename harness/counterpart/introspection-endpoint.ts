import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Identity } from '../../certs/identity.ts';
import type { IntrospectionHandle, IntrospectionResponse } from './introspection-registry.ts';

/** The suite's introspection endpoint (RFC 7662) while it runs. */
export interface IntrospectionEndpoint extends IntrospectionHandle, AsyncDisposable {
  /** Plain data for workers, see `introspectionRegistry`. */
  readonly handle: IntrospectionHandle;
  close(): Promise<void>;
}

export interface IntrospectionSettings {
  /** Certificate and key of the HTTPS endpoint; it must be valid for `host`. */
  readonly server: Identity;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The address to listen at. Default: loopback. */
  readonly address?: string;
  /** By which the target reaches it. Default: the address. */
  readonly host?: string;
}

interface Entry {
  response: IntrospectionResponse;
  requests: number;
}

const LOOPBACK = '127.0.0.1';
/** Longest request body that is read, in octets. */
const MAX_BODY = 262_144;

/**
 * Starts an introspection endpoint on a free port (HTTPS, HTTP Basic; a token that is not registered is
 * `{"active":false}`) and, on a loopback port of its own, the plain-HTTP listener at which the scenarios register tokens from
 * other processes.
 */
export async function startIntrospectionEndpoint(
  settings: IntrospectionSettings,
): Promise<IntrospectionEndpoint> {
  const { server, clientId, clientSecret, address = LOOPBACK, host = address } = settings;
  const entries = new Map<string, Entry>();
  const registrationSecret = randomBytes(32).toString('base64url');
  const introspection = createServer({ key: server.privateKey, cert: server.chain }, (request, response) => {
    settle(response, introspect(request, entries, settings));
  });
  const registration = createPlainServer((request, response) => {
    settle(response, register(request, entries, registrationSecret));
  });
  const [port, registrationPort] = await Promise.all([
    listening(introspection, address),
    listening(registration, LOOPBACK),
  ]);
  const handle: IntrospectionHandle = {
    url: `https://${host}:${port}/introspect`,
    clientId,
    clientSecret,
    registrationUrl: `http://${LOOPBACK}:${registrationPort}/`,
    registrationSecret,
  };
  const close = async (): Promise<void> => {
    await Promise.all([closed(introspection), closed(registration)]);
  };
  return { ...handle, handle, close, [Symbol.asyncDispose]: close };
}

/** What is to be answered. */
interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 7662 §2.1 and §2.2. */
async function introspect(
  request: IncomingMessage,
  entries: ReadonlyMap<string, Entry>,
  settings: IntrospectionSettings,
): Promise<Answer> {
  if (request.url !== '/introspect') return { status: 404, body: { error: 'not_found' } };
  if (request.method !== 'POST')
    return { status: 405, body: { error: 'invalid_request' }, headers: { Allow: 'POST' } };
  if (!authenticated(request.headers.authorization, settings))
    return {
      status: 401,
      body: { error: 'invalid_client' },
      headers: { 'WWW-Authenticate': 'Basic realm="introspection"' },
    };
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    return { status: 400, body: { error: 'invalid_request' } };
  const body = await bodyOf(request);
  const tokens = new URLSearchParams(body ?? '').getAll('token');
  const [token] = tokens;
  if (token === undefined || tokens.length !== 1) return { status: 400, body: { error: 'invalid_request' } };
  const entry = entries.get(token);
  if (entry === undefined) return { status: 200, body: { active: false } };
  entry.requests += 1;
  return { status: 200, body: entry.response };
}

/** HTTP Basic with form-encoded id and secret (RFC 6749 §2.3.1). */
function authenticated(field: string | undefined, settings: IntrospectionSettings): boolean {
  const encoded = /^basic +(?<credentials>[A-Za-z0-9+/=]+)$/i.exec(field ?? '')?.groups?.['credentials'];
  if (encoded === undefined) return false;
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  const given = `${formDecoded(id)}:${formDecoded(secret.join(':'))}`;
  return equal(given, `${settings.clientId}:${settings.clientSecret}`);
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** What the scenarios ask for: `POST /register {token, response}` and `POST /requests {token}`. */
async function register(
  request: IncomingMessage,
  entries: Map<string, Entry>,
  secret: string,
): Promise<Answer> {
  if (!equal(request.headers.authorization ?? '', `Bearer ${secret}`))
    return { status: 401, body: { error: 'the registration secret is wrong' } };
  const message = parsed(await bodyOf(request));
  const token = message['token'];
  if (request.method !== 'POST' || typeof token !== 'string')
    return { status: 400, body: { error: 'a token is missing' } };
  if (request.url === '/requests')
    return { status: 200, body: { requests: entries.get(token)?.requests ?? 0 } };
  const response = message['response'];
  if (request.url !== '/register' || typeof response !== 'object' || response === null)
    return { status: 400, body: { error: 'a response is missing' } };
  entries.set(token, { response: { ...response }, requests: entries.get(token)?.requests ?? 0 });
  return { status: 200, body: {} };
}

function parsed(body: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Compares in constant time: a target must not be able to guess its way to the registry. */
function equal(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** `undefined` when the body is longer than {@link MAX_BODY}. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  return length > MAX_BODY ? undefined : Buffer.concat(chunks).toString();
}

/** Sends the answer; a request that breaks off in the middle has nobody to answer to. */
function settle(response: ServerResponse, answer: Promise<Answer>): void {
  answer
    .then(({ status, body, headers }) => {
      const text = JSON.stringify(body);
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
        'Cache-Control': 'no-store',
        ...headers,
      });
      response.end(text);
    })
    .catch(() => response.destroy());
}

async function listening(server: Server, address: string): Promise<number> {
  server.listen(0, address);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  if (!server.listening) return;
  const end = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await end;
}
