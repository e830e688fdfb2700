import {
  type RunningTarget,
  start as startReference,
  type TargetOptions,
} from '../authorization-server/target.ts';
import { type Environment, SettingsError } from '../resource-server/settings.ts';
import { VARIANTS } from './catalogue.ts';

/**
 * Starts a harmless variant as a target of the contract.
 *
 * @param context.variant the variant’s id
 * @throws {SettingsError} when there is no such variant
 */
export async function start(
  environment: Environment,
  context: { readonly variant?: string; readonly log?: TargetOptions['log'] },
): Promise<RunningTarget> {
  const found = VARIANTS.find(({ id }) => id === context.variant);
  if (found === undefined)
    throw new SettingsError(
      `there is no variant ${context.variant ?? ''}; there are ${VARIANTS.map(({ id }) => id).join(', ')}`,
    );
  return startReference(environment, {
    variant: found.variant(),
    ...(context.log && { log: context.log }),
  });
}
