import type { Identity } from '../../certs/identity.ts';
import type { Manifest } from './manifest.ts';
import { areForAuthorizationServer, areForClient } from './target.ts';
import type { AuthorizationServerSettings, ServerSettings, TargetSettings } from './target.ts';

/** The variables of the target contract, `TSBT_…`. */
export type TargetEnvironment = Readonly<Record<string, string>>;

/** A file that a variable names. */
export interface PromisedFile {
  readonly name: string;
  readonly text: string;
}

/** What the target contract promises one target: variables with values, and variables that name files. Plain data. */
export interface Promised {
  readonly values: TargetEnvironment;
  /** Variable → the file whose path is its value. */
  readonly files: Readonly<Record<string, PromisedFile>>;
}

/** Where a target is to listen, as it is told, and the port at which others reach it. */
export interface Listening {
  /** `host:port` */
  readonly listen: string;
  /** The same as the one in `listen`, but for a container. */
  readonly publicPort: number;
}

/** All that the target contract promises a target. */
export function promised(
  { role, capabilities }: Pick<Manifest, 'role' | 'capabilities'>,
  settings: TargetSettings,
  { listen, publicPort }: Listening,
): Promised {
  const own = ownPart(settings, capabilities, publicPort);
  const identity = areForClient(settings) ? settings.clientIdentity : settings.serverIdentity;
  return {
    values: { TSBT_ROLE: role, TSBT_LISTEN: listen, ...own.values },
    files: {
      TSBT_SERVER_CA_FILE: { name: 'server-ca.pem', text: settings.serverAuthorities },
      ...identityFiles(identity),
      ...own.files,
    },
  };
}

/** The files with the target's own certificate and key; it may be given others while it runs. */
export function identityFiles({ chain, privateKey }: Identity): Promised['files'] {
  return {
    TSBT_TLS_CERT_FILE: { name: 'certificate.pem', text: chain },
    TSBT_TLS_KEY_FILE: { name: 'key.pem', text: privateKey },
  };
}

function ownPart(
  settings: TargetSettings,
  capabilities: Manifest['capabilities'],
  publicPort: number,
): Promised {
  if (areForAuthorizationServer(settings)) return authorizationServerPart(settings, publicPort);
  if (!areForClient(settings)) return serverPart(settings, capabilities);
  const { upstream, proofClaims, dpopKey } = settings;
  return {
    values: { TSBT_UPSTREAM: upstream, TSBT_PROOF_CLAIMS: proofClaims },
    files:
      dpopKey === undefined || !capabilities.includes('dpop')
        ? {}
        : { TSBT_DPOP_KEY_FILE: { name: 'dpop-key.pem', text: dpopKey } },
  };
}

function serverPart(settings: ServerSettings, capabilities: Manifest['capabilities']): Promised {
  const { introspection, behind } = settings;
  return {
    values: {
      TSBT_ISSUER: settings.issuer,
      TSBT_AUDIENCE: settings.audience,
      ...(introspection === undefined || !capabilities.includes('introspection')
        ? {}
        : {
            TSBT_INTROSPECTION_URL: introspection.url,
            TSBT_INTROSPECTION_CLIENT_ID: introspection.clientId,
            TSBT_INTROSPECTION_CLIENT_SECRET: introspection.clientSecret,
          }),
      ...(behind === undefined
        ? {}
        : { TSBT_UPSTREAM: behind.upstream, TSBT_TOKEN_ENDPOINT: behind.tokenEndpoint }),
    },
    files: {
      TSBT_CLIENT_CA_FILE: { name: 'client-ca.pem', text: settings.clientAuthorities },
      TSBT_JWKS_FILE: { name: 'jwks.json', text: `${JSON.stringify(settings.jwks)}\n` },
      ...(behind === undefined
        ? {}
        : {
            TSBT_UPSTREAM_CERT_FILE: { name: 'upstream-certificate.pem', text: behind.identity.chain },
            TSBT_UPSTREAM_KEY_FILE: { name: 'upstream-key.pem', text: behind.identity.privateKey },
          }),
    },
  };
}

function authorizationServerPart(settings: AuthorizationServerSettings, publicPort: number): Promised {
  return {
    values: {
      TSBT_ISSUER: issuerAt(publicPort),
      TSBT_AUDIENCE: settings.audience,
      TSBT_OPAQUE_AUDIENCE: settings.opaqueAudience,
      TSBT_SHORT_LIVED_AUDIENCE: settings.shortLivedAudience,
    },
    files: {
      TSBT_CLIENT_CA_FILE: { name: 'client-ca.pem', text: settings.clientAuthorities },
      TSBT_CLIENTS_FILE: { name: 'clients.json', text: `${JSON.stringify(settings.clients)}\n` },
    },
  };
}

/** The issuer identifier of an authorization server that the suite starts on a port. */
export function issuerAt(port: number): string {
  return `https://localhost:${port}`;
}
