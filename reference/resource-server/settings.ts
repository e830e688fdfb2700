import { readFileSync } from 'node:fs';
import type { JSONWebKeySet } from 'jose';
import type { TlsMaterial } from './server.ts';

/** The variables of the target contract. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting that is missing or unusable; the message is one line and says which and why. */
export class SettingsError extends Error {
  /** Exit status that a process ends with: 127 for a role that is not played here, else 2. */
  readonly exitCode: 2 | 127;

  constructor(message: string, exitCode: 2 | 127 = 2) {
    super(message);
    this.name = 'SettingsError';
    this.exitCode = exitCode;
  }
}

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial;
  readonly issuer: string;
  readonly audience: string;
  readonly keys: JSONWebKeySet;
  readonly introspection:
    | {
        readonly endpoint: string;
        readonly clientId: string;
        readonly clientSecret: string;
        /** PEM */
        readonly authorities?: string;
      }
    | undefined;
}

/** @throws SettingsError where the variable is not set */
export function required(environment: Environment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '') throw new SettingsError(`${name} is not set`);
  return value;
}

/**
 * The contents of the file that a variable names.
 *
 * @throws SettingsError where it is not set, or the file cannot be read
 */
export function fileOf(environment: Environment, name: string): string {
  const path = required(environment, name);
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new SettingsError(`${name}: ${path} cannot be read (${reason})`);
  }
}

/** @throws SettingsError where `TSBT_LISTEN` is not `host:port` */
export function listenAddress(environment: Environment): { host: string; port: number } {
  const value = required(environment, 'TSBT_LISTEN');
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new SettingsError(`TSBT_LISTEN: ${value} is not host:port`);
  }
  return { host, port };
}

function keySet(environment: Environment): JSONWebKeySet {
  const name = 'TSBT_JWKS_FILE';
  const text = fileOf(environment, name);
  try {
    const value: unknown = JSON.parse(text);
    const keys = (value as { keys?: unknown } | null)?.keys;
    const isKey = (key: unknown) => typeof key === 'object' && key !== null && !Array.isArray(key);
    if (Array.isArray(keys) && keys.every(isKey)) return value as JSONWebKeySet;
  } catch {
    // Not JSON at all is reported like JSON of another shape.
  }
  throw new SettingsError(`${name}: ${required(environment, name)} is not a JWK Set`);
}

function introspection(environment: Environment): Settings['introspection'] {
  const endpoint = environment['TSBT_INTROSPECTION_URL'];
  if (endpoint === undefined || endpoint === '') return undefined;
  if (URL.parse(endpoint)?.protocol !== 'https:') {
    throw new SettingsError(`TSBT_INTROSPECTION_URL: ${endpoint} is not an https URL`);
  }
  return {
    endpoint,
    clientId: required(environment, 'TSBT_INTROSPECTION_CLIENT_ID'),
    clientSecret: required(environment, 'TSBT_INTROSPECTION_CLIENT_SECRET'),
    ...(environment['TSBT_SERVER_CA_FILE'] && { authorities: fileOf(environment, 'TSBT_SERVER_CA_FILE') }),
  };
}

/**
 * Reads the settings of a resource server from the variables of the target contract.
 *
 * @param plays the role that is asked for, where a resource server is only a part of it
 * @throws SettingsError for the first setting that is missing or unusable
 */
export function readSettings(
  environment: Environment,
  plays: 'resource-server' | 'intermediary' = 'resource-server',
): Settings {
  const role = environment['TSBT_ROLE'];
  if (role !== plays) {
    throw new SettingsError(`TSBT_ROLE: only ${plays} is played here, not ${role ?? 'nothing'}`, 127);
  }
  return {
    ...listenAddress(environment),
    tls: {
      certificate: fileOf(environment, 'TSBT_TLS_CERT_FILE'),
      key: fileOf(environment, 'TSBT_TLS_KEY_FILE'),
      clientAuthorities: fileOf(environment, 'TSBT_CLIENT_CA_FILE'),
    },
    issuer: required(environment, 'TSBT_ISSUER'),
    audience: required(environment, 'TSBT_AUDIENCE'),
    keys: keySet(environment),
    introspection: introspection(environment),
  };
}
