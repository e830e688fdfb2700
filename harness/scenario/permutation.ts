import type { Permutation } from './record.ts';

/** The axes of a permutation, with the core profile's value first on each. */
export const AXES = {
  tls: ['TLSv1.3', 'TLSv1.2'],
  http: ['http/1.1', 'h2'],
  key: ['P-256', 'P-384', 'P-521', 'RSA', 'Ed25519'],
} as const satisfies { readonly [A in keyof Permutation]: readonly Permutation[A][] };

/** The one permutation of the core profile. */
export const CORE: Permutation = { tls: 'TLSv1.3', http: 'http/1.1', key: 'P-256' };

/**
 * The values under which a scenario can differ in outcome. An axis that is left out does not matter: it
 * keeps the core profile's value. An axis with one value pins it.
 */
export type Across = { readonly [A in keyof Permutation]?: readonly Permutation[A][] };

/** Every TLS version × HTTP version. */
export const EVERY_TRANSPORT: Across = { tls: AXES.tls, http: AXES.http };
/** Every TLS version × HTTP version × key type. */
export const EVERYTHING: Across = { ...AXES };

/**
 * The permutations to run a scenario under.
 *
 * @param across the axes that matter to it
 * @param profile `core` takes one (the core profile's values where allowed, else the first allowed); `full` takes all
 */
export function permutations(across: Across, profile: 'core' | 'full'): readonly Permutation[] {
  const pick = <A extends keyof Permutation>(axis: A): readonly Permutation[A][] => {
    const allowed = across[axis];
    if (allowed === undefined || allowed.length === 0) return [CORE[axis]];
    if (profile === 'full') return allowed;
    return allowed.includes(CORE[axis]) ? [CORE[axis]] : allowed.slice(0, 1);
  };
  return pick('tls').flatMap((tls) =>
    pick('http').flatMap((http) => pick('key').map((key) => ({ tls, http, key }))),
  );
}

/** `TLSv1.3 http/1.1 P-256`: how a permutation is written in titles and on the command line. */
export function permutationText(permutation: Permutation): string {
  return `${permutation.tls} ${permutation.http} ${permutation.key}`;
}

/** Reads what {@link permutationText} writes; `undefined` if it is not one. */
export function parsePermutation(text: string): Permutation | undefined {
  const [tls, http, key, ...rest] = text.trim().split(/\s+/);
  const found = {
    tls: AXES.tls.find((value) => value === tls),
    http: AXES.http.find((value) => value === http),
    key: AXES.key.find((value) => value === key),
  };
  if (rest.length > 0 || found.tls === undefined || found.http === undefined || found.key === undefined)
    return undefined;
  return { tls: found.tls, http: found.http, key: found.key };
}
