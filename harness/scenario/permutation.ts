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

const EVERY: { readonly [A in keyof Permutation]: readonly Permutation[A][] } = AXES;

/** Whether a target claims to speak this TLS or HTTP version; every key type counts as spoken. */
function claims(
  capabilities: ReadonlySet<string> | undefined,
  value: Permutation[keyof Permutation],
): boolean {
  const capability = CAPABILITY[value];
  return capability === undefined || capabilities === undefined || capabilities.has(capability);
}

const CAPABILITY: Readonly<Record<string, string>> = {
  'TLSv1.2': 'tls1.2',
  'TLSv1.3': 'tls1.3',
  'http/1.1': 'http/1.1',
  h2: 'h2',
};

/**
 * The permutations to run a scenario under.
 *
 * @param across the axes that matter to it
 * @param profile `core` takes one (the core profile's values where allowed, else the first allowed); `full` takes all
 * @param capabilities what the target claims: where an axis leaves the choice, a value is chosen that it speaks
 */
export function permutations(
  across: Across,
  profile: 'core' | 'full',
  capabilities?: ReadonlySet<string>,
): readonly Permutation[] {
  const pick = <A extends keyof Permutation>(axis: A): readonly Permutation[A][] => {
    const allowed: readonly Permutation[A][] = across[axis] ?? [];
    if (profile === 'full' && allowed.length > 0) return allowed;
    const choice = allowed.length > 0 ? allowed : EVERY[axis];
    const usual = choice.find((value) => value === CORE[axis]) ?? choice[0] ?? CORE[axis];
    return [[usual, ...choice].find((value) => claims(capabilities, value)) ?? usual];
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
