import { SettingsError } from '../resource-server/settings.ts';
import { TRIVIAL_AUTHORIZATION_SERVERS } from './authorization-servers.ts';
import { TRIVIAL_CLIENTS } from './clients.ts';
import { TRIVIAL_INTERMEDIARIES, TRIVIAL_RESOURCE_SERVERS } from './resource-servers.ts';
import type { Environment, TrivialTarget } from './target.ts';

/** Every trivial target. */
export const TRIVIAL: readonly TrivialTarget[] = [
  ...TRIVIAL_RESOURCE_SERVERS,
  ...TRIVIAL_CLIENTS,
  ...TRIVIAL_INTERMEDIARIES,
  ...TRIVIAL_AUTHORIZATION_SERVERS,
];

/**
 * Starts a trivial target as a target of the contract.
 *
 * @param context.variant its id
 * @throws {SettingsError} when there is no such target
 */
export async function start(environment: Environment, context: { readonly variant?: string }) {
  const target = TRIVIAL.find(({ id }) => id === context.variant);
  if (target === undefined) throw new SettingsError(`there is no trivial target ${context.variant ?? ''}`);
  return target.start(environment);
}
