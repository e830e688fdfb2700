import type { Description } from './describe.ts';
import type { Difference } from './record.ts';

/** What a field is said to be where a request does not have it. */
export const ABSENT = 'absent';

/**
 * The fields in which two requests differ. Where one of them has no proof, or none that can be taken apart,
 * the whole proof counts as one field; likewise the token and the DPoP proof.
 */
export function difference(control: Description, variant: Description): readonly Difference[] {
  const whole = ['proof', 'token', 'dpop'].filter((part) => control.get(part) !== variant.get(part));
  const differences: Difference[] = [];
  for (const field of new Set([...control.keys(), ...variant.keys()])) {
    if (whole.some((part) => field.startsWith(`${part}.`))) continue;
    const before = control.get(field) ?? ABSENT;
    const after = variant.get(field) ?? ABSENT;
    if (before !== after) differences.push({ field, control: before, variant: after });
  }
  return differences;
}

/** Compares the difference that was found with the one that was declared; `undefined` when they are the same. */
export function contradiction(found: readonly Difference[], declared: readonly string[]): string | undefined {
  const fields = found.map((entry) => entry.field);
  const undeclared = fields.filter((field) => !declared.includes(field));
  const missing = declared.filter((field) => !fields.includes(field));
  if (undeclared.length === 0 && missing.length === 0) return undefined;
  const parts = [
    undeclared.length > 0 ? `also differs in ${undeclared.join(', ')}` : '',
    missing.length > 0 ? `does not differ in ${missing.join(', ')}` : '',
  ].filter((part) => part !== '');
  return parts.join(' and ');
}
