import { SettingsError } from '../resource-server/settings.ts';
import type { Environment } from '../resource-server/settings.ts';
import { start as startReference } from '../resource-server/target.ts';
import type { RunningTarget } from '../resource-server/target.ts';
import { MUTANTS } from './catalogue.ts';

/**
 * Starts a mutant as a target of the contract.
 *
 * @param context.variant the mutant's id
 * @throws {SettingsError} when there is no such mutant
 */
export async function start(
  environment: Environment,
  context: { readonly variant?: string },
): Promise<RunningTarget> {
  const mutant = MUTANTS.find(({ id }) => id === context.variant);
  if (mutant === undefined)
    throw new SettingsError(
      `there is no mutant ${context.variant ?? ''}; there are ${MUTANTS.map(({ id }) => id).join(', ')}`,
    );
  return startReference(environment, { variant: mutant.variant() });
}
