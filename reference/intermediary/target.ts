import type { Dispatcher } from 'undici';
import { SessionBoundAgent, type SessionBoundAgentOptions } from '../client/agent.ts';
import { createJwtValidator } from '../resource-server/jwt-tokens.ts';
import type { ResourceServerParts } from '../resource-server/parts.ts';
import { protect } from '../resource-server/protect.ts';
import { createServer, listen, tlsOptionsFor } from '../resource-server/server.ts';
import type { Environment } from '../resource-server/settings.ts';
import type { RunningTarget } from '../resource-server/target.ts';
import type { TokenValidator } from '../resource-server/token.ts';
import { createIntermediary, forwardedFields, type IntermediaryOptions } from './intermediary.ts';
import { type HopSettings, readHopSettings } from './settings.ts';
import { createTokenExchange, type TokenExchange } from './token-exchange.ts';

/** What a variant of the target is put together from instead of the defaults. */
export interface HopVariant {
  readonly parts?: (defaults: {
    readonly validateToken: TokenValidator;
    readonly exchange: TokenExchange;
  }) => Partial<ResourceServerParts>;
  readonly client?: Pick<SessionBoundAgentOptions, 'parts'>;
  readonly fieldsOf?: IntermediaryOptions['fieldsOf'];
  /** Default: with the certificate of the client, as RFC 8693 has it. */
  readonly exchangeOf?: (client: Dispatcher, settings: HopSettings) => TokenExchange;
}

export interface HopOptions {
  readonly variant?: HopVariant;
  /** Gets a line for each refusal, free of tokens and proofs. */
  readonly log?: (line: string) => void;
}

/**
 * Starts an intermediate B of a chain A → B → C: the reference resource server towards A, the reference client towards
 * C, and a token of its own in between, which it gets in exchange for A's once A's proof has held.
 *
 * Source: draft -06 §4.6.1.
 *
 * @param environment the contract's variables for a resource server, and those of `readHopSettings`
 * @throws SettingsError for settings that are missing or unusable
 */
export async function start(environment: Environment, options: HopOptions = {}): Promise<RunningTarget> {
  const settings = readHopSettings(environment);
  const { variant, log } = options;
  const client = new SessionBoundAgent({
    ...variant?.client,
    identity: settings.identity,
    tls: { ca: settings.authorities },
  });
  const exchange =
    variant?.exchangeOf?.(client, settings) ??
    createTokenExchange(client, settings.tokenEndpoint, settings.audience);
  const validateToken = createJwtValidator(settings);
  const fieldsOf = variant?.fieldsOf ?? forwardedFields;
  const handler = createIntermediary({ client, upstream: settings.upstream, exchange, fieldsOf });
  const listener = protect(handler, {
    validateToken,
    answersExpect: true,
    onRefusal: ({ status, description }) => log?.(`refused: ${status} ${description}`),
    parts: { requireBinding: true, ...variant?.parts?.({ validateToken, exchange }) },
  });
  const running = await listen(
    createServer({ listener, tls: tlsOptionsFor(settings.tls) }),
    settings.host,
    settings.port,
  );
  return {
    port: running.port,
    async close() {
      await Promise.all([running.close(), client.destroy()]);
    },
  };
}
