import type { EventEmitter } from 'node:events';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { createServer, listen, type RunningServer, tlsOptionsFor } from '../resource-server/server.ts';
import { explained } from '../resource-server/unusable-settings.ts';
import { type Environment, SettingsError } from '../resource-server/settings.ts';
import { type AuthorizationServerParts, defaultParts } from './parts.ts';
import { createProvider } from './provider.ts';
import { readSettings, type Settings } from './settings.ts';

/** What a variant of the target is put together from instead of the defaults. */
export interface AuthorizationServerVariant {
  readonly parts?: (defaults: AuthorizationServerParts) => Partial<AuthorizationServerParts>;
}

export interface TargetOptions {
  readonly variant?: AuthorizationServerVariant;
  /** Gets a line for each refusal, free of tokens and secrets. */
  readonly log?: (line: string) => void;
}

/** A target that runs. */
export interface RunningTarget {
  readonly port: number;
  close(): Promise<void>;
}

const REFUSALS = [
  'grant.error',
  'introspection.error',
  'revocation.error',
  'registration_create.error',
  'registration_read.error',
  'registration_update.error',
] as const;

function logRefusals(provider: Provider, log: (line: string) => void): void {
  const refused = ({ path }: KoaContextWithOIDC, error: errors.OIDCProviderError) =>
    log(
      `refused: ${error.statusCode} ${path} ${error.error}: ${error.error_description ?? ''} ${error.error_detail ?? ''}`.trimEnd(),
    );
  const emitter: EventEmitter = provider;
  for (const event of REFUSALS) emitter.on(event, refused);
  emitter.on('server_error', ({ path }: KoaContextWithOIDC, { message }: Error) =>
    log(`failed: 500 ${path} ${message}`),
  );
  provider.silent = true;
  emitter.on('error', ({ message }: Error) => log(`failed: ${message}`));
}

async function provide(settings: Settings, parts: AuthorizationServerParts): Promise<Provider> {
  try {
    return await createProvider(settings, parts);
  } catch (error) {
    if (!(error instanceof errors.OIDCProviderError)) throw error;
    throw new SettingsError(`TSBT_CLIENTS_FILE: ${error.error_description ?? error.message}`);
  }
}

/**
 * Starts the reference authorization server as a target of the contract: `oidc-provider`, configured to issue
 * session-bound tokens.
 *
 * @param environment the contract's variables, `TSBT_…`
 * @throws SettingsError for settings that are missing or unusable, and for an address that cannot be listened on
 */
export async function start(environment: Environment, options: TargetOptions = {}): Promise<RunningTarget> {
  const settings = readSettings(environment);
  const provider = await provide(settings, { ...defaultParts, ...options.variant?.parts?.(defaultParts) });
  if (options.log !== undefined) logRefusals(provider, options.log);
  const handle = provider.callback();
  let running: RunningServer;
  try {
    const server = createServer({
      listener: (request, response) => void handle(request, response),
      tls: tlsOptionsFor(settings.tls),
      // No exporter value is used here, so that none has to be trusted.
      acceptsConnection: () => true,
    });
    running = await listen(server, settings.host, settings.port);
  } catch (error) {
    throw explained(error, settings);
  }
  return { port: running.port, close: () => running.close() };
}
