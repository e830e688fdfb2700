import { readJwt } from '../../forge/read.ts';
import type { HashedValue, ProofTally } from '../record.ts';
import { isRecord } from './defect.ts';
import type { Defect } from './defect.ts';

/** A proof as it arrived, with everything that is wrong with it. */
export interface TalliedProof {
  readonly proof: string;
  /** The request that carried it, in words. */
  readonly where: string;
  readonly defects: readonly Defect[];
}

export const NO_PROOFS: ProofTally = {
  examined: 0,
  wellFormed: { 'x5t#S256': 0, ath: 0, ekm: 0 },
  malformed: [],
};

const HASHED_VALUES: readonly HashedValue[] = ['x5t#S256', 'ath', 'ekm'];

/**
 * Counts the proofs of a scenario and those that are malformed. Only their form is examined here, never what a value
 * belongs to: a scenario may provoke the `ekm` of another connection, but none provokes another form.
 */
export function tallyOf(arrived: readonly TalliedProof[]): ProofTally {
  const wellFormed = { ...NO_PROOFS.wellFormed };
  const malformed: ProofTally['malformed'][number][] = [];
  const seen = new Set<string>();
  for (const { proof, where, defects } of arrived) {
    if (seen.has(proof)) continue;
    seen.add(proof);
    const defect = defects.find(({ aspect }) => aspect === 'form');
    if (defect !== undefined)
      malformed.push({ where, part: 'serialization', what: defect.what, cure: defect.cure });
    const values = valuesOf(proof);
    for (const [name, value] of values) if (isHashed(value)) wellFormed[name] += 1;
    const bad = values.find(([, value]) => !isHashed(value));
    if (defect === undefined && bad !== undefined) malformed.push({ where, ...malformedValue(...bad) });
  }
  return { examined: seen.size, wellFormed, malformed };
}

/** Several tallies as one. */
export function addedUp(tallies: readonly ProofTally[]): ProofTally {
  const sum = (of: (tally: ProofTally) => number): number =>
    tallies.reduce((total, tally) => total + of(tally), 0);
  return {
    examined: sum(({ examined }) => examined),
    wellFormed: {
      'x5t#S256': sum(({ wellFormed }) => wellFormed['x5t#S256']),
      ath: sum(({ wellFormed }) => wellFormed.ath),
      ekm: sum(({ wellFormed }) => wellFormed.ekm),
    },
    malformed: tallies.flatMap(({ malformed }) => malformed),
  };
}

/** Those that are strings; whether they are, and are there, is another requirement's. */
function valuesOf(proof: string): readonly (readonly [HashedValue, string])[] {
  const { header, claims } = readJwt(proof);
  if (!isRecord(header) || !isRecord(claims)) return [];
  return HASHED_VALUES.flatMap((name) => {
    const value = name === 'x5t#S256' ? header[name] : claims[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
}

/** 32 octets in unpadded base64url: 43 characters, the last of which has two bits that are zero. */
function isHashed(value: string): boolean {
  const octets = Buffer.from(value, 'base64url');
  return octets.length === 32 && octets.toString('base64url') === value;
}

function malformedValue(name: HashedValue, value: string): Omit<ProofTally['malformed'][number], 'where'> {
  return {
    part: name,
    what: `${name} ${lookOf(value)}, and must be 32 octets in base64url without padding`,
    cure: `Encode all 32 octets of ${name}, whatever they are, as 43 characters of base64url: no character is trimmed, replaced or left out.`,
  };
}

/** What a value looks like; it may be a secret by mistake, and is not shown. */
function lookOf(value: string): string {
  const strange = [...new Set(value.replaceAll(/[\w-]/g, ''))].slice(0, 4);
  const among =
    strange.length === 0 ? '' : `, among them ${strange.map((one) => JSON.stringify(one)).join(', ')}`;
  return `has ${value.length} character${value.length === 1 ? '' : 's'}${among}`;
}
