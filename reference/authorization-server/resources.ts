import { errors, type ResourceServer } from 'oidc-provider';
import type { AuthorizationServerParts } from './parts.ts';
import type { Settings } from './settings.ts';

/** What tokens can be for. */
export interface Resources {
  /** Scopes that clients may have. */
  readonly scopes: readonly string[];
  /** Where a request names no resource. */
  readonly default: string;
  /**
   * How tokens for a resource look.
   *
   * @throws InvalidTarget where there is no such resource (RFC 8707 §2)
   */
  find(resource: string): Promise<ResourceServer>;
}

const BASIC_SCOPES = ['tsbt.read', 'tsbt.scoped'];

/**
 * The resources of the settings, and every client whose identifier is an absolute URI: that is a resource server which
 * is a client too, as an intermediate in a chain of calls is.
 *
 * @param isClient whether a client with this identifier is known
 */
export function createResources(
  settings: Settings,
  {
    formatOf,
    lifetime,
    shortLifetime,
  }: Pick<AuthorizationServerParts, 'formatOf' | 'lifetime' | 'shortLifetime'>,
  isClient: (clientId: string) => Promise<boolean>,
): Resources {
  const { audience, opaqueAudience, shortLivedAudience } = settings;
  const scopes = new Set(
    [BASIC_SCOPES, ...settings.clients.map(({ scope }) => scope?.split(' ') ?? [])].flat(),
  );
  return {
    scopes: [...scopes],
    default: audience,
    async find(resource) {
      const isKnown =
        resource === audience ||
        resource === opaqueAudience ||
        resource === shortLivedAudience ||
        (URL.canParse(resource) && (await isClient(resource)));
      if (!isKnown) throw new errors.InvalidTarget('there is no such resource');
      return {
        audience: resource,
        scope: [...scopes].join(' '),
        accessTokenFormat: formatOf(resource, opaqueAudience),
        accessTokenTTL: resource === shortLivedAudience ? shortLifetime : lifetime,
        jwt: { sign: { alg: 'ES256' } },
      };
    },
  };
}
