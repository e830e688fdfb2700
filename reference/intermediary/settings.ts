import { readFileSync } from 'node:fs';
import type { ClientIdentity } from '../client/identity.ts';
import { type Environment, readSettings, type Settings, SettingsError } from '../resource-server/settings.ts';

export interface HopSettings extends Settings {
  /** Origin of the next server. */
  readonly upstream: URL;
  /** Certificate and key that are presented to the next server and to the authorization server. */
  readonly identity: ClientIdentity;
  /** PEM trust anchors for both. */
  readonly authorities: string;
  /** Where a token for the next server is got in exchange for the inbound one. */
  readonly tokenEndpoint: URL;
}

function fileOf(environment: Environment, name: string): string {
  try {
    return readFileSync(environment[name] ?? '', 'utf8');
  } catch {
    throw new SettingsError(`${name} is not set, or cannot be read`);
  }
}

function httpsOf(environment: Environment, name: string): URL {
  const url = URL.parse(environment[name] ?? '');
  if (url?.protocol !== 'https:') throw new SettingsError(`${name} is not an https URL`);
  return url;
}

/**
 * Reads the settings of an intermediate: those of a resource server, and further `TSBT_UPSTREAM` (origin of the next
 * server), `TSBT_UPSTREAM_CERT_FILE` and `TSBT_UPSTREAM_KEY_FILE` (its identity as a client), `TSBT_SERVER_CA_FILE`
 * and `TSBT_TOKEN_ENDPOINT` (token exchange, RFC 8693).
 *
 * @throws SettingsError for the first setting that is missing or unusable
 */
export function readHopSettings(environment: Environment): HopSettings {
  return {
    ...readSettings(environment, 'intermediary'),
    upstream: httpsOf(environment, 'TSBT_UPSTREAM'),
    identity: {
      certificate: fileOf(environment, 'TSBT_UPSTREAM_CERT_FILE'),
      key: fileOf(environment, 'TSBT_UPSTREAM_KEY_FILE'),
    },
    authorities: fileOf(environment, 'TSBT_SERVER_CA_FILE'),
    tokenEndpoint: httpsOf(environment, 'TSBT_TOKEN_ENDPOINT'),
  };
}
