import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from './manifest.ts';
import type { Identity } from '../../certs/identity.ts';
import { areForAuthorizationServer, areForClient } from './target.ts';
import type { AuthorizationServerSettings, ServerSettings, TargetSettings } from './target.ts';

/** The variables of the target contract, `TSBT_…`. */
export type TargetEnvironment = Readonly<Record<string, string>>;

/** The environment of one target, with the files that it names. Releasing it removes the files. */
export interface PreparedEnvironment extends AsyncDisposable {
  readonly variables: TargetEnvironment;
  /** Writes another certificate and key into the files that the target was given. */
  replaceIdentity(identity: Identity): Promise<void>;
}

/**
 * Writes what the target contract promises a target into files that only this user may read, and names them in
 * environment variables.
 *
 * @param listen `host:port`
 */
export async function prepareEnvironment(
  { role, capabilities }: Pick<Manifest, 'role' | 'capabilities'>,
  settings: TargetSettings,
  listen: string,
): Promise<PreparedEnvironment> {
  // mkdtemp makes the folder with mode 0700.
  const folder = await mkdtemp(join(tmpdir(), 'tsbt-target-'));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const identityFiles = async ({ chain, privateKey }: Identity): Promise<TargetEnvironment> => ({
    TSBT_TLS_CERT_FILE: await file('certificate.pem', chain),
    TSBT_TLS_KEY_FILE: await file('key.pem', privateKey),
  });
  try {
    const variables: TargetEnvironment = {
      TSBT_ROLE: role,
      TSBT_LISTEN: listen,
      TSBT_SERVER_CA_FILE: await file('server-ca.pem', settings.serverAuthorities),
      ...(areForClient(settings)
        ? {
            ...(await identityFiles(settings.clientIdentity)),
            TSBT_UPSTREAM: settings.upstream,
            TSBT_PROOF_CLAIMS: settings.proofClaims,
            ...(settings.dpopKey === undefined || !capabilities.includes('dpop')
              ? {}
              : { TSBT_DPOP_KEY_FILE: await file('dpop-key.pem', settings.dpopKey) }),
          }
        : {
            ...(await identityFiles(settings.serverIdentity)),
            ...(areForAuthorizationServer(settings)
              ? await authorizationServerVariables(settings, listen, file)
              : await serverVariables(settings, capabilities, file)),
          }),
    };
    return {
      variables,
      replaceIdentity: async (identity) => void (await identityFiles(identity)),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function serverVariables(
  settings: ServerSettings,
  capabilities: Manifest['capabilities'],
  file: (name: string, text: string) => Promise<string>,
): Promise<TargetEnvironment> {
  const { introspection, behind } = settings;
  return {
    TSBT_CLIENT_CA_FILE: await file('client-ca.pem', settings.clientAuthorities),
    TSBT_ISSUER: settings.issuer,
    TSBT_AUDIENCE: settings.audience,
    TSBT_JWKS_FILE: await file('jwks.json', `${JSON.stringify(settings.jwks)}\n`),
    ...(introspection === undefined || !capabilities.includes('introspection')
      ? {}
      : {
          TSBT_INTROSPECTION_URL: introspection.url,
          TSBT_INTROSPECTION_CLIENT_ID: introspection.clientId,
          TSBT_INTROSPECTION_CLIENT_SECRET: introspection.clientSecret,
        }),
    ...(behind === undefined
      ? {}
      : {
          TSBT_UPSTREAM: behind.upstream,
          TSBT_UPSTREAM_CERT_FILE: await file('upstream-certificate.pem', behind.identity.chain),
          TSBT_UPSTREAM_KEY_FILE: await file('upstream-key.pem', behind.identity.privateKey),
          TSBT_TOKEN_ENDPOINT: behind.tokenEndpoint,
        }),
  };
}

async function authorizationServerVariables(
  settings: AuthorizationServerSettings,
  listen: string,
  file: (name: string, text: string) => Promise<string>,
): Promise<TargetEnvironment> {
  return {
    TSBT_CLIENT_CA_FILE: await file('client-ca.pem', settings.clientAuthorities),
    TSBT_ISSUER: issuerAt(Number(listen.slice(listen.lastIndexOf(':') + 1))),
    TSBT_AUDIENCE: settings.audience,
    TSBT_OPAQUE_AUDIENCE: settings.opaqueAudience,
    TSBT_CLIENTS_FILE: await file('clients.json', `${JSON.stringify(settings.clients)}\n`),
  };
}

/** The issuer identifier of an authorization server that the suite starts on a port. */
export function issuerAt(port: number): string {
  return `https://localhost:${port}`;
}
