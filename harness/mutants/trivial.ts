import { pathToFileURL } from 'node:url';
import { EMBEDDED, EMBEDDED_ROLES, inForm, TRIVIAL_MODULE } from '../target/embedded.ts';
import type { EmbeddedRole } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import type { Observation } from './observation.ts';
import type { Subject } from './subject.ts';

/**
 * A target that does one thing whatever it is asked. Whatever a scenario finds in order on it must be in order all the
 * same; anything else passed by accident. Plain data.
 */
export interface TrivialSubject extends Pick<Subject, 'id' | 'also' | 'manifest'> {
  readonly role: EmbeddedRole;
  /** What it does, in words. */
  readonly does: string;
}

/** Scenarios that pass on a trivial target, and why that is right. */
export interface RightfulPasses {
  readonly because: string;
  readonly pass: readonly string[];
}

/** Trivial target → what passes on it. */
export type TrivialPasses = Readonly<Record<string, readonly RightfulPasses[]>>;

/** Every trivial target, with the manifest of its role's reference: it claims what that claims. */
export async function loadTrivialSubjects(): Promise<readonly TrivialSubject[]> {
  // By path: the reference is no part of the harness, it is only asked what it can be started as.
  const { TRIVIAL } = (await import(pathToFileURL(TRIVIAL_MODULE).href)) as {
    readonly TRIVIAL: readonly Pick<TrivialSubject, 'id' | 'role' | 'does'>[];
  };
  const manifests = new Map(
    await Promise.all(
      EMBEDDED_ROLES.map(async (role) => [role, await loadManifest(EMBEDDED[role])] as const),
    ),
  );
  return TRIVIAL.flatMap(({ id, role, does }) => {
    const embedded = manifests.get(role);
    if (embedded === undefined) return [];
    const manifest = inForm(embedded, 'trivial', TRIVIAL_MODULE, id, `Trivial target ${id}`);
    return [{ id, role, does, also: [], manifest }];
  });
}

/** What does not hold of the passes on a trivial target, one line each. */
export function accidentalPasses(
  { findings, problem }: Observation,
  declared: readonly RightfulPasses[],
): readonly string[] {
  if (problem !== undefined) return [`it could not be tried: ${problem}`];
  const rightful = declared.flatMap(({ pass }) => pass);
  const passed = findings.filter(({ verdict }) => verdict === 'pass').map(({ scenario }) => scenario);
  const faults = findings.filter(
    ({ verdict, attribution }) => verdict === 'inconclusive' && attribution === 'harness',
  );
  return [
    ...passed
      .filter((id) => !rightful.includes(id))
      .map((id) => `${id} passes, and no reason is given why that is right`),
    ...rightful.filter((id) => !passed.includes(id)).map((id) => `${id} is declared to pass, and does not`),
    ...rightful.filter((id, index) => rightful.indexOf(id) !== index).map((id) => `${id} is declared twice`),
    ...faults.map(
      ({ scenario, reason }) =>
        `${scenario} ended by a fault of the harness: ${reason?.split('\n')[0] ?? ''}`,
    ),
  ];
}
