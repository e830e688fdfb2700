import {
  type RunningTarget,
  start as startReference,
  type TargetOptions,
} from '../authorization-server/target.ts';
import { type Environment, SettingsError } from '../resource-server/settings.ts';
import { MUTANTS } from './catalogue.ts';

/**
 * Starts a mutant as a target of the contract.
 *
 * @param context.variant the mutant's id
 * @throws {SettingsError} when there is no such mutant
 */
export async function start(
  environment: Environment,
  context: { readonly variant?: string; readonly log?: TargetOptions['log'] },
): Promise<RunningTarget> {
  const mutant = MUTANTS.find(({ id }) => id === context.variant);
  if (mutant === undefined)
    throw new SettingsError(
      `there is no mutant ${context.variant ?? ''}; there are ${MUTANTS.map(({ id }) => id).join(', ')}`,
    );
  return startReference(environment, {
    variant: mutant.variant(),
    ...(context.log && { log: context.log }),
  });
}
