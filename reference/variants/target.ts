import { SettingsError } from '../resource-server/settings.ts';
import type { Environment } from '../resource-server/settings.ts';
import { start as startReference } from '../resource-server/target.ts';
import type { RunningTarget } from '../resource-server/target.ts';
import { VARIANTS } from './catalogue.ts';

/**
 * Starts a harmless variant as a target of the contract.
 *
 * @param context.variant the variant's id
 * @throws {SettingsError} when there is no such variant
 */
export async function start(
  environment: Environment,
  context: { readonly variant?: string },
): Promise<RunningTarget> {
  const found = VARIANTS.find(({ id }) => id === context.variant);
  if (found === undefined)
    throw new SettingsError(
      `there is no variant ${context.variant ?? ''}; there are ${VARIANTS.map(({ id }) => id).join(', ')}`,
    );
  return startReference(environment, { variant: found.variant() });
}
