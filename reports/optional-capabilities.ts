import type { Level } from '../harness/scenario/record.ts';
import type { TargetConclusion } from './conclusion.ts';

/** A capability by which the suite sees more of a target, and the scenarios that were left out for want of it. */
export interface MissingCapability {
  readonly name: string;
  /** What the target has to do, to claim it. */
  readonly claim: string;
  readonly scenarios: readonly string[];
}

/**
 * Capabilities that are no feature of the draft: a target that offers them shows the suite more (docs/target-contract.md).
 * That something optional is not supported, such as DPoP, leaves nothing untried.
 */
const OPTIONAL: Readonly<Record<string, string>> = {
  echo: 'a 2xx body is JSON with at least sub of the token that was used',
  counter: 'POST <protected>/counter adds one, GET returns {"count": n}',
  scoped: 'paths under <protected>/scoped need the scope tsbt.scoped',
  'certificate-rotation': 'reloads its certificate and key files on SIGHUP',
  'short-lived-tokens': 'access tokens for TSBT_SHORT_LIVED_AUDIENCE are valid for one to five seconds',
};

const BINDING: readonly Level[] = ['MUST', 'MUST NOT', 'SECURITY'];

/** As the engine writes it (harness/scenario/recording.ts), or a scenario that has tried to do without, with the reason why it could not. */
const UNCLAIMED = /^the target does not claim ([^(]+?)(?: \(.*\))?$/;

/** The optional capabilities for want of which something binding was not tried, in the order of the manifest's table. */
export function missingCapabilities({ groups }: TargetConclusion): readonly MissingCapability[] {
  const left = groups.flatMap(({ scenario, verdict, results: [{ level, reason }] }) => {
    const missing = UNCLAIMED.exec(reason ?? '')?.[1]?.split(', ') ?? [];
    const isOptional = missing.length > 0 && missing.every((name) => name in OPTIONAL);
    return verdict === 'not-applicable' && BINDING.includes(level) && isOptional
      ? [{ scenario, missing }]
      : [];
  });
  return Object.entries(OPTIONAL)
    .map(([name, claim]) => ({
      name,
      claim,
      scenarios: left.filter(({ missing }) => missing.includes(name)).map(({ scenario }) => scenario),
    }))
    .filter(({ scenarios }) => scenarios.length > 0);
}
