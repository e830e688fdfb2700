import { pathToFileURL } from 'node:url';
import { AXES, parsePermutation, permutationText } from '../scenario/permutation.ts';
import type { Permutation } from '../scenario/record.ts';
import { CAPABILITY_NAMES } from '../target/capabilities.ts';
import { EMBEDDED, EMBEDDED_ROLES, FORMS, inForm } from '../target/embedded.ts';
import type { EmbeddedRole, Form } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import type { Manifest } from '../target/manifest.ts';

/** Something that the suite is tried on: a mutant, which it has to catch, or a harmless variant, which it has to pass. Plain data. */
export interface Subject {
  readonly id: string;
  readonly form: Form;
  /** The mistake, or the difference, in words. */
  readonly what: string;
  /** Requirements that must catch the mutant; empty for a variant. */
  readonly breaks: readonly string[];
  /** Permutations to play beside the core profile's, where a mistake shows only there. */
  readonly also: readonly Permutation[];
  readonly manifest: Manifest;
}

/** What the catalogues of the reference's forms hold, as far as it matters here. */
interface Entry {
  readonly id: string;
  readonly mistake?: string;
  readonly difference?: string;
  readonly breaks?: readonly string[];
  readonly also?: readonly string[];
  /** Capabilities that a variant has not, or has beside the reference's. */
  readonly lacks?: readonly string[];
  readonly gains?: readonly string[];
  /** What its manifest is to name, beside what the reference's does. */
  readonly identityFields?: readonly string[];
}

/**
 * Every mutant and harmless variant of a role's reference, in the order of their catalogues.
 *
 * @throws {Error} where an entry names an unknown permutation or capability
 */
export async function loadSubjects(role: EmbeddedRole): Promise<readonly Subject[]> {
  const embedded = await loadManifest(EMBEDDED[role]);
  const catalogue = async (form: Form): Promise<readonly Subject[]> => {
    // By path: the reference is no part of the harness, it is only asked what it can be started as.
    const modules = FORMS[role][form];
    if (modules === undefined) return [];
    const module = (await import(pathToFileURL(modules.catalogue).href)) as {
      readonly MUTANTS?: readonly Entry[];
      readonly VARIANTS?: readonly Entry[];
    };
    return (module.MUTANTS ?? module.VARIANTS ?? []).map((entry) =>
      subjectOf(embedded, form, modules.module, entry),
    );
  };
  return [...(await catalogue('mutant')), ...(await catalogue('variant'))];
}

/** The subjects of every role. */
export async function loadAllSubjects(): Promise<readonly Subject[]> {
  return (await Promise.all(EMBEDDED_ROLES.map(loadSubjects))).flat();
}

/** Ids that several subjects have. */
export function ambiguous(subjects: readonly Subject[]): readonly string[] {
  const ids = subjects.map(({ id }) => id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

function subjectOf(embedded: Manifest, form: Form, module: string, entry: Entry): Subject {
  const { id, lacks = [], gains = [] } = entry;
  const what = entry.mistake ?? entry.difference ?? '';
  const manifest = inForm(
    embedded,
    form,
    module,
    id,
    form === 'mutant' ? `Reference with the mistake ${id}` : `Reference, other but right: ${id}`,
  );
  const added = CAPABILITY_NAMES.filter((name) => gains.includes(name));
  const stray = [
    ...lacks.filter((name) => !embedded.capabilities.some((one) => one === name)),
    ...gains.filter((name) => !CAPABILITY_NAMES.some((one) => one === name)),
  ];
  if (stray.length > 0)
    throw new Error(`${id} names capabilities that it cannot lack or gain: ${stray.join(', ')}`);
  return {
    id,
    form,
    what,
    breaks: entry.breaks ?? [],
    also: (entry.also ?? []).map((text) => permutationOf(id, text)),
    manifest: {
      ...manifest,
      ...(entry.identityFields === undefined ? {} : { identityFields: entry.identityFields }),
      capabilities: [...embedded.capabilities.filter((name) => !lacks.includes(name)), ...added],
    },
  };
}

function permutationOf(id: string, text: string): Permutation {
  const permutation = parsePermutation(text);
  if (permutation !== undefined) return permutation;
  const example = permutationText({ tls: AXES.tls[0], http: AXES.http[0], key: AXES.key[0] });
  throw new Error(`${id} is to be played under "${text}", which is not a permutation such as "${example}"`);
}
