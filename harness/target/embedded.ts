import { fileURLToPath } from 'node:url';
import type { Manifest } from './manifest.ts';

const root = new URL('../../', import.meta.url);

/** Manifest of the target of a run that names none: the reference resource server, in this process. */
export const EMBEDDED = fileURLToPath(new URL('targets/reference/target.yaml', root));

/** The reference's other forms: with a mistake built in, or different where the draft leaves freedom. */
export type Form = 'mutant' | 'variant';

/** The module that starts a form of the reference, and the one that lists them all. */
export const FORMS: Readonly<Record<Form, { readonly module: string; readonly catalogue: string }>> = {
  mutant: formIn('reference/mutants/'),
  variant: formIn('reference/variants/'),
};

function formIn(folder: string): { readonly module: string; readonly catalogue: string } {
  return {
    module: fileURLToPath(new URL(`${folder}target.ts`, root)),
    catalogue: fileURLToPath(new URL(`${folder}catalogue.ts`, root)),
  };
}

/**
 * The embedded reference's manifest, started in another form.
 *
 * @param embedded the manifest at {@link EMBEDDED}
 * @param id of the mutant or variant
 * @param title for the reader
 */
export function inForm(embedded: Manifest, form: Form, id: string, title: string): Manifest {
  return {
    ...embedded,
    name: id.toLowerCase(),
    title,
    start: { kind: 'module', module: FORMS[form].module, variant: id },
    file: `--${form} ${id}`,
  };
}
