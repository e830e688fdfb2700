import {
  defaultPresentationChecks,
  type Presentation,
  type PresentationCheckName,
} from '../resource-server/admission.ts';
import type { ResourceServerParts } from '../resource-server/parts.ts';
import type { TargetVariant } from '../resource-server/target.ts';

/** The checks that ask for a Session-Binding Proof and verify it. */
export const PROOF_CHECKS: readonly PresentationCheckName[] = ['proof-present', 'single-proof', 'proof'];

/** Whether a presented token is let off the checks in question. */
export type Exempt = (presentation: Presentation, parts: ResourceServerParts) => boolean;

/** What is asked of a presented token, less some checks where it is exempt. */
export function checksUnless(
  names: readonly PresentationCheckName[],
  exempt: Exempt,
): ResourceServerParts['checks'] {
  return names.reduce((all, name) => {
    const { run } = all.get(name);
    return all.with(name, (presentation, parts) =>
      exempt(presentation, parts) ? undefined : run(presentation, parts),
    );
  }, defaultPresentationChecks);
}

/** The reference that leaves out some checks where a presented token is exempt. */
export function skipping(names: readonly PresentationCheckName[], exempt: Exempt): TargetVariant {
  return { parts: () => ({ checks: checksUnless(names, exempt) }) };
}
