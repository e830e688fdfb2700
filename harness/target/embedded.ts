import { fileURLToPath } from 'node:url';
import type { Manifest } from './manifest.ts';

const root = new URL('../../', import.meta.url);
const pathOf = (path: string): string => fileURLToPath(new URL(path, root));

/** The roles that there is a reference implementation of, in the order of a run that names no target. */
export const EMBEDDED_ROLES = ['resource-server', 'client', 'intermediary', 'authorization-server'] as const;

export type EmbeddedRole = (typeof EMBEDDED_ROLES)[number];

/** Manifests of the targets of a run that names none: the references, in this process. */
export const EMBEDDED: Readonly<Record<EmbeddedRole, string>> = {
  'resource-server': pathOf('targets/reference/target.yaml'),
  client: pathOf('targets/reference-client/sidecar.yaml'),
  intermediary: pathOf('targets/reference-intermediary/target.yaml'),
  'authorization-server': pathOf('targets/reference-authorization-server/extended.yaml'),
};

/** The reference's other forms: with a mistake built in, or different where the draft leaves freedom. */
export type Form = 'mutant' | 'variant';

/** The module that starts a form of a role's reference, and the one that lists them all. */
export interface FormModules {
  readonly module: string;
  readonly catalogue: string;
}

/** The forms that each role's reference has. */
export const FORMS: Readonly<Record<EmbeddedRole, Readonly<Partial<Record<Form, FormModules>>>>> = {
  'resource-server': {
    mutant: formIn('reference/mutants/'),
    variant: formIn('reference/variants/'),
  },
  client: {
    mutant: formIn('reference/client-mutants/'),
    variant: formIn('reference/client-variants/'),
  },
  intermediary: {
    mutant: {
      module: pathOf('reference/intermediary/mutants.ts'),
      catalogue: pathOf('reference/intermediary/mutants.ts'),
    },
  },
  'authorization-server': {
    mutant: formIn('reference/authorization-server-mutants/'),
    variant: formIn('reference/authorization-server-variants/'),
  },
};

/** The module that starts and lists the targets of every role that do one thing whatever they are asked. */
export const TRIVIAL_MODULE = pathOf('reference/trivial/catalogue.ts');

function formIn(folder: string): FormModules {
  return { module: pathOf(`${folder}target.ts`), catalogue: pathOf(`${folder}catalogue.ts`) };
}

/**
 * The embedded reference's manifest, started in another form.
 *
 * @param embedded the manifest at {@link EMBEDDED} of the role
 * @param module that starts the form
 * @param id of the mutant or variant
 * @param title for the reader
 */
export function inForm(
  embedded: Manifest,
  form: Form | 'trivial',
  module: string,
  id: string,
  title: string,
): Manifest {
  return {
    ...embedded,
    name: id.toLowerCase(),
    title,
    start: { kind: 'module', module, variant: id },
    file: `--${form} ${id}`,
  };
}
