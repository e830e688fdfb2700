import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createHash, X509Certificate } from 'node:crypto';
import { KEY_TYPES } from '../../certs/identity.ts';
import type { Identity } from '../../certs/identity.ts';
import { openStore } from '../../certs/store.ts';
import type { Store } from '../../certs/store.ts';
import { jwks } from '../../certs/token-issuer.ts';
import { startIntrospectionEndpoint } from '../counterpart/introspection-endpoint.ts';
import type { IntrospectionEndpoint } from '../counterpart/introspection-endpoint.ts';
import type { Credentials, Manifest } from '../target/manifest.ts';
import { startTarget, vantageOf } from '../target/start.ts';
import { hostAt } from '../target/vantage.ts';
import type { Vantage } from '../target/vantage.ts';
import type { Behind, ClientSettings, ServerSettings, Target, TargetSettings } from '../target/target.ts';
import { UsageError } from '../usage-error.ts';
import type { Registry } from '../scenario/authorization-server/registered-clients.ts';
import { registrations } from '../scenario/authorization-server/registered-clients.ts';
import { issuerAt } from '../target/environment.ts';
import type { Case, Plan, ServerPlan } from './plan.ts';
import { createRegistry } from './registry.ts';
import type { Selection } from './selection.ts';

/**
 * How long a response may take before it counts as none, in milliseconds, on a machine that is not busy. A container has bounds that the suite sets, and
 * may hold a runtime that is slow with its first requests.
 */
const PATIENCE_MS = { module: 3000, process: 3000, url: 3000, container: 8000 } as const;

/** What the suite plays opposite the targets of a run: its PKI, issuer and introspection endpoint. */
export interface Opposite extends AsyncDisposable {
  readonly store: Store;
  /** Starts a target with all that the contract promises it. Throws `TargetProblem`. */
  start(manifest: Manifest): Promise<Target>;
  /** What the workers need to play these cases on it. */
  plan(
    target: Target,
    cases: readonly Case[],
    selection: Selection,
    knownFailures: Plan['knownFailures'],
  ): Promise<Plan>;
}

/** Starts the suite's side. */
export async function startOpposite(pkiDirectory?: string): Promise<Opposite> {
  const store = await openStore(pkiDirectory);
  const { tokenIssuer, trusted, server } = store;
  const endpoints = new Map<string, Promise<IntrospectionEndpoint>>();
  /** The introspection endpoint for targets that see the suite from there. */
  const introspectionAt = async (vantage: Vantage): Promise<IntrospectionEndpoint> => {
    const host = hostAt(vantage);
    const endpoint =
      endpoints.get(host) ??
      startIntrospectionEndpoint({
        server,
        clientId: 'tsbt-resource-server',
        clientSecret: randomBytes(24).toString('base64url'),
        address: vantage.address,
        host,
      });
    endpoints.set(host, endpoint);
    return endpoint;
  };
  const serverSettings: Omit<ServerSettings, 'introspection'> = {
    serverIdentity: server,
    clientAuthorities: trusted.certificate,
    serverAuthorities: trusted.certificate,
    issuer: tokenIssuer.issuer,
    audience: tokenIssuer.audience,
    jwks: jwks(tokenIssuer),
  };
  const clientSettings: ClientSettings = {
    clientIdentity: store.alice['P-256'],
    serverAuthorities: trusted.certificate,
    upstream: NOWHERE,
    proofClaims: 'connection',
  };
  let registry: Promise<Registry> | undefined;
  return {
    store,
    start: async (manifest) => {
      if (manifest.role === 'authorization-server') {
        const known = await (registry ??= createRegistry(store));
        const { audience, opaqueAudience, shortLivedAudience } = known;
        const { serverIdentity, clientAuthorities, serverAuthorities } = serverSettings;
        const clients = registrations(known);
        return startTarget(manifest, {
          serverIdentity,
          clientAuthorities,
          serverAuthorities,
          audience,
          opaqueAudience,
          shortLivedAudience,
          clients,
        });
      }
      if (manifest.role === 'client') return tried(manifest, clientSettings);
      if (manifest.role === 'intermediary')
        return tried(manifest, { ...serverSettings, behind: behindNowhere(server) });
      const introspection =
        manifest.start.kind === 'url' ? undefined : await introspectionAt(await vantageOf(manifest));
      return startTarget(manifest, { ...serverSettings, ...(introspection && { introspection }) });
    },
    plan: async (target, cases, selection, knownFailures) => {
      const { manifest } = target;
      const { name, capabilities } = manifest;
      const vantage = await vantageOf(manifest);
      const common = {
        vantage,
        profile: selection.profile,
        strict: selection.strict,
        pki: { trusted, stranger: store.stranger, server, alice: store.alice, mallory: store.mallory },
        issuer: tokenIssuer,
        knownFailures,
        patienceMs: PATIENCE_MS[manifest.start.kind],
      };
      if (manifest.role === 'authorization-server') {
        const isForeign = manifest.start.kind === 'url';
        return {
          ...common,
          role: manifest.role,
          target: {
            name,
            capabilities,
            host: target.host,
            port: target.port,
            hostname: isForeign ? target.host : 'localhost',
            serverAuthorities: isForeign ? null : trusted.certificate,
          },
          issuerIdentifier: manifest.start.kind === 'url' ? manifest.start.url : issuerAt(target.port),
          registry: await (registry ??= createRegistry(store)),
          cases,
        };
      }
      if (manifest.role === 'client' || manifest.role === 'intermediary')
        return { ...common, role: manifest.role, target: { name, capabilities }, manifest, cases };
      const credentials =
        manifest.credentials === undefined ? null : await readCredentials(manifest.credentials);
      const isForeign = manifest.start.kind === 'url';
      return {
        ...common,
        role: 'resource-server',
        target: {
          name,
          capabilities,
          host: target.host,
          port: target.port,
          hostname: isForeign ? target.host : 'localhost',
          protectedPath: manifest.paths.protected,
          ...(manifest.identityFields === undefined ? {} : { identityFields: manifest.identityFields }),
          // Somebody else's server has somebody else's certificate; what is judged here is the client's binding.
          serverAuthorities: isForeign ? null : trusted.certificate,
        },
        introspection: isForeign ? null : (await introspectionAt(vantage)).handle,
        credentials,
        cases: credentials === null ? cases : withKey(cases, credentials.identity),
      };
    },
    [Symbol.asyncDispose]: async () => {
      const standing = await Promise.allSettled(endpoints.values());
      for (const one of standing) if (one.status === 'fulfilled') await one.value.close();
    },
  };
}

/** A port on which nobody listens: a target that is only tried has nothing to call. */
const NOWHERE = 'https://localhost:9';

function behindNowhere(identity: Identity): Behind {
  return { upstream: NOWHERE, tokenEndpoint: `${NOWHERE}/token`, identity };
}

/**
 * Starts a target that calls servers of the suite, and ends it again. The ones that scenarios are played on are started
 * beside them; one that cannot be started at all is better known before.
 */
async function tried(manifest: Manifest, settings: TargetSettings): Promise<Target> {
  const target = await startTarget(manifest, settings);
  await target.stop();
  return target;
}

/** The cases under the one key type that there is a certificate for. */
function withKey(cases: readonly Case[], identity: Identity): readonly Case[] {
  const key = KEY_TYPES.find((type) => type === identity.keyType) ?? 'P-256';
  const kept = new Map(
    cases.map(({ scenario, permutation }) => [
      `${scenario} ${permutation.tls} ${permutation.http}`,
      { scenario, permutation: { ...permutation, key } },
    ]),
  );
  return [...kept.values()];
}

/** @throws {UsageError} when a file cannot be read, or there is no access token */
async function readCredentials(credentials: Credentials): Promise<NonNullable<ServerPlan['credentials']>> {
  const { accessToken } = credentials;
  if (accessToken === undefined) {
    throw new UsageError(
      'credentials',
      'has no accessToken',
      'Give the access token that the client certificate is to be tried with; asking a token endpoint is not part of this version.',
    );
  }
  const read = async (path: string): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new UsageError(
        path,
        error instanceof Error ? error.message : String(error),
        'Correct the path under credentials in the manifest.',
      );
    }
  };
  const [chain, privateKey] = [await read(credentials.certificate), await read(credentials.key)];
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain);
  } catch {
    throw new UsageError(
      credentials.certificate,
      'is not a PEM certificate',
      'Give the client’s certificate chain in PEM, the end-entity certificate first.',
    );
  }
  if (certificate.validToDate.getTime() < Date.now()) {
    throw new UsageError(
      credentials.certificate,
      `expired on ${certificate.validTo}`,
      'Give a client certificate that is valid: nothing could be told from the refusal of an expired one.',
    );
  }
  const identity: Identity = {
    name: 'the given client',
    keyType: keyTypeOf(certificate),
    certificate: certificate.toString(),
    chain,
    privateKey,
    thumbprint: createHash('sha256').update(certificate.raw).digest('base64url'),
  };
  return { identity, accessToken };
}

const CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

function keyTypeOf({ publicKey }: X509Certificate): string {
  if (publicKey.asymmetricKeyType === 'ed25519') return 'Ed25519';
  if (publicKey.asymmetricKeyType === 'rsa') return 'RSA';
  return CURVES[publicKey.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'P-256';
}
