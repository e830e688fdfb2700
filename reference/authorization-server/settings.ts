import type { ClientMetadata } from 'oidc-provider';
import type { TlsMaterial } from '../resource-server/server.ts';
import {
  type Environment,
  fileOf,
  listenAddress,
  required,
  SettingsError,
} from '../resource-server/settings.ts';

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial;
  /** An origin, without a slash at its end. */
  readonly issuer: string;
  /** The resource whose access tokens are JWTs, and the one that tokens are for where a request names none. */
  readonly audience: string;
  /** The resource whose access tokens are opaque. */
  readonly opaqueAudience: string | undefined;
  /** The resource whose access tokens are valid for a few seconds. */
  readonly shortLivedAudience: string | undefined;
  readonly clients: readonly ClientMetadata[];
}

function issuerOf(environment: Environment): string {
  const issuer = required(environment, 'TSBT_ISSUER');
  const url = URL.parse(issuer);
  if (url?.protocol !== 'https:' || url.origin !== issuer) {
    throw new SettingsError(`TSBT_ISSUER: ${issuer} is not https://host[:port]`);
  }
  return issuer;
}

function resourceOf(name: string, value: string): string {
  if (URL.canParse(value) && !value.includes('#')) return value;
  throw new SettingsError(`${name}: ${value} is not an absolute URI without a fragment (RFC 8707 §2)`);
}

function optionalResource(environment: Environment, name: string): string | undefined {
  const { [name]: value = '' } = environment;
  return value === '' ? undefined : resourceOf(name, value);
}

function isClient(value: unknown): value is ClientMetadata {
  if (typeof value !== 'object' || value === null) return false;
  return 'client_id' in value && typeof value.client_id === 'string' && value.client_id !== '';
}

function clientsOf(environment: Environment): readonly ClientMetadata[] {
  const name = 'TSBT_CLIENTS_FILE';
  const text = fileOf(environment, name);
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every(isClient)) return value;
  } catch {
    // Not JSON at all is reported like JSON of another shape.
  }
  const path = required(environment, name);
  throw new SettingsError(`${name}: ${path} is not a JSON array of client metadata, each with a client_id`);
}

/**
 * Reads the settings of an authorization server from the variables of the target contract.
 *
 * @throws SettingsError for the first setting that is missing or unusable
 */
export function readSettings(environment: Environment): Settings {
  const role = environment['TSBT_ROLE'];
  if (role !== 'authorization-server') {
    const message = `TSBT_ROLE: only authorization-server is played here, not ${role ?? 'nothing'}`;
    throw new SettingsError(message, 127);
  }
  return {
    ...listenAddress(environment),
    tls: {
      certificate: fileOf(environment, 'TSBT_TLS_CERT_FILE'),
      key: fileOf(environment, 'TSBT_TLS_KEY_FILE'),
      clientAuthorities: fileOf(environment, 'TSBT_CLIENT_CA_FILE'),
    },
    issuer: issuerOf(environment),
    audience: resourceOf('TSBT_AUDIENCE', required(environment, 'TSBT_AUDIENCE')),
    opaqueAudience: optionalResource(environment, 'TSBT_OPAQUE_AUDIENCE'),
    shortLivedAudience: optionalResource(environment, 'TSBT_SHORT_LIVED_AUDIENCE'),
    clients: clientsOf(environment),
  };
}
