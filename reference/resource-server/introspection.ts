import { Agent, request } from 'undici';
import { readGrant, type TokenValidator } from './token.ts';

export interface IntrospectionOptions {
  /** `https:` URL of the issuer's introspection endpoint. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM trust anchors for the endpoint; default: the system's. */
  readonly authorities?: string;
  /** The audience and issuer that a response must name where it names any. */
  readonly audience: string;
  readonly issuer: string;
  /** Bound on one call, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

/** Longest introspection response that is read, in octets. */
const MAXIMUM_RESPONSE = 65_536;
/** Most calls at once; a client that sends many tokens must not open as many connections to the issuer. */
const CONNECTIONS = 32;

export interface Introspection extends AsyncDisposable {
  readonly validate: TokenValidator;
}

/** `application/x-www-form-urlencoded` of one value, as HTTP Basic wants it (RFC 6749 §2.3.1). */
function formEncoded(value: string): string {
  return new URLSearchParams({ value }).toString().slice('value='.length);
}

function isActive(response: Readonly<Record<string, unknown>>, options: IntrospectionOptions, now: number) {
  const { active, exp, nbf, aud, iss } = response;
  if (active !== true) return false;
  if (exp !== undefined && !(typeof exp === 'number' && exp > now)) return false;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now)) return false;
  if (iss !== undefined && iss !== options.issuer) return false;
  return aud === undefined || [aud].flat().includes(options.audience);
}

/**
 * Validates opaque tokens by asking the issuer, anew for each request, so that a revoked token
 * stops working at once. An endpoint that fails or answers nonsense makes the token invalid.
 *
 * Source: RFC 7662 §2, draft -06 §3.4.
 */
export function createIntrospection(options: IntrospectionOptions): Introspection {
  const agent = new Agent({
    allowH2: false,
    connections: CONNECTIONS,
    maxResponseSize: MAXIMUM_RESPONSE,
    connect: options.authorities === undefined ? {} : { ca: options.authorities },
  });
  const credentials = `${formEncoded(options.clientId)}:${formEncoded(options.clientSecret)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return {
    async validate(token, now) {
      try {
        const { statusCode, body } = await request(options.endpoint, {
          method: 'POST',
          dispatcher: agent,
          signal: AbortSignal.timeout(options.timeoutMs ?? 5000),
          headers: {
            authorization,
            accept: 'application/json',
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
        });
        if (statusCode !== 200) {
          await body.dump();
          return undefined;
        }
        const response: unknown = await body.json();
        if (typeof response !== 'object' || response === null || Array.isArray(response)) return undefined;
        const members = response as Readonly<Record<string, unknown>>;
        return isActive(members, options, now) ? readGrant(members) : undefined;
      } catch {
        return undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}
