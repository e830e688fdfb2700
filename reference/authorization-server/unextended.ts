import type { Environment } from '../resource-server/settings.ts';
import { type RunningTarget, start as startExtended, type TargetOptions } from './target.ts';

/**
 * Starts the authorization server without what the draft adds: certificate-bound tokens (RFC 8705), token exchange
 * and introspection as in {@link startExtended}, and no session binding.
 *
 * @throws SettingsError for settings that are missing or unusable
 */
export function start(
  environment: Environment,
  { log }: Pick<TargetOptions, 'log'> = {},
): Promise<RunningTarget> {
  const variant = { parts: () => ({ sessionBinding: undefined }) };
  return startExtended(environment, { variant, ...(log && { log }) });
}
