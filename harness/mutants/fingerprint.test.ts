import { expect, test } from 'vitest';
import { EVERYTHING } from '../scenario/permutation.ts';
import type { Across } from '../scenario/permutation.ts';
import type { Permutation, Verdict } from '../scenario/record.ts';
import { fingerprint } from './fingerprint.ts';
import type { Suspect } from './fingerprint.ts';

const CORE: Permutation = { tls: 'TLSv1.3', http: 'http/1.1', key: 'P-256' };
const RSA: Permutation = { tls: 'TLSv1.3', http: 'h2', key: 'RSA' };
const IDS = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];

function suspect(mutant: string, failing: string, also: readonly Permutation[] = []): Suspect {
  return { mutant, mistake: `mistake ${mutant}`, also, failing: failing.split('') };
}

/** Everything passes but what is given; `undefined` was not run. */
function outcomes(verdicts: Readonly<Record<string, Verdict | undefined>>) {
  const all: Readonly<Record<string, Verdict | undefined>> = {
    ...Object.fromEntries(IDS.map((id) => [id, 'pass' as const])),
    ...verdicts,
  };
  return Object.entries(all).flatMap(([scenario, verdict]) =>
    verdict === undefined ? [] : [{ scenario, permutation: CORE, verdict }],
  );
}

function failing(ids: string, rest: Readonly<Record<string, Verdict | undefined>> = {}) {
  return outcomes({ ...Object.fromEntries(ids.split('').map((id) => [id, 'fail' as const])), ...rest });
}

const across: ReadonlyMap<string, Across> = new Map();
const names = (...of: Parameters<typeof fingerprint>): string[] =>
  fingerprint(...of).map(({ mutant, distance }) => `${mutant} ${distance}`);

test('the same failures are at distance 0, with nothing that sets them apart', () => {
  expect(fingerprint(failing('ABC'), [suspect('M-1', 'AB'), suspect('M-2', 'ABC')], across)).toEqual([
    {
      mutant: 'M-2',
      mistake: 'mistake M-2',
      distance: 0,
      common: ['A', 'B', 'C'],
      onlyTarget: [],
      unjudged: [],
    },
  ]);
});

test('names what fails only on the target, and what was not judged', () => {
  const verdicts = failing('ABCDEF', { H: 'not-applicable' });
  expect(fingerprint(verdicts, [suspect('M-1', 'ABCDEH')], across)).toEqual([
    {
      mutant: 'M-1',
      mistake: 'mistake M-1',
      distance: 0.17,
      common: ['A', 'B', 'C', 'D', 'E'],
      onlyTarget: ['F'],
      unjudged: ['H'],
    },
  ]);
});

test('a mutant is out when one of its scenarios passes on the target, however much else is the same', () => {
  expect(names(failing('ABCDEF'), [suspect('M-1', 'ABCDEFG')], across)).toEqual([]);
  expect(names(failing('ABCDEF', { G: 'inconclusive' }), [suspect('M-1', 'ABCDEFG')], across)).toEqual([
    'M-1 0',
  ]);
  expect(names(failing('ABCDEF'), [suspect('M-1', 'ABCDEFG'), suspect('M-2', 'ABCDE')], across)).toEqual([
    'M-2 0.17',
  ]);
});

test.each([
  ['conformant', outcomes({}), 'AB'],
  ['only warned of', outcomes({ A: 'warn', B: 'info' }), 'AB'],
  ['far off', failing('ABCDE'), 'AB'],
  ['two of four apart', failing('ABCD'), 'AB'],
  ['one of three apart', failing('ABC'), 'AB'],
  ['of one failure in common', failing('A', { B: 'warn' }), 'AB'],
  ['of one failure in common, the rest not run', failing('A', { B: undefined }), 'AB'],
  ['hardly judged', failing('AB', { C: undefined, D: undefined, E: undefined }), 'ABCDE'],
])('says nothing of a target that is %s', (_, verdicts, of) => {
  expect(fingerprint(verdicts, [suspect('M-1', of)], across)).toEqual([]);
});

test('one failure is not enough, even where it is all there is to the mutant: another mistake can fail the same scenario', () => {
  expect(names(failing('A'), [suspect('M-1', 'A'), suspect('M-2', 'B')], across)).toEqual([]);
});

test('nor are several scenarios of one requirement', () => {
  const failed = (...ids: string[]) => outcomes(Object.fromEntries(ids.map((id) => [id, 'fail' as const])));
  const of = (...ids: string[]): Suspect[] => [{ ...suspect('M-1', ''), failing: ids }];
  expect(names(failed('A', 'A.long'), of('A', 'A.long'), across)).toEqual([]);
  expect(names(failed('A', 'A.long', 'B'), of('A', 'A.long', 'B'), across)).toEqual(['M-1 0']);
});

test('the nearest are told, two at most, or three where they fail the very same', () => {
  const like = (...of: string[]): Suspect[] => of.map((ids, index) => suspect(`M-${index + 1}`, ids));
  expect(names(failing('ABCD'), like('ABC', 'ABD', 'AB'), across)).toEqual(['M-1 0.25', 'M-2 0.25']);
  expect(names(failing('ABCD'), like('ABC', 'ABD', 'ACD'), across)).toEqual([]);
  expect(names(failing('AB'), like('AB', 'AB', 'AB', 'A'), across)).toEqual(['M-1 0', 'M-2 0', 'M-3 0']);
  expect(names(failing('AB'), like('AB', 'AB', 'AB', 'AB'), across)).toEqual([]);
});

test('where failures are the same, one that failed more than could be judged here comes second', () => {
  const verdicts = failing('AB', { C: 'inconclusive', D: 'inconclusive' });
  expect(names(verdicts, [suspect('M-1', 'ABC'), suspect('M-2', 'AB')], across)).toEqual(['M-2 0']);
});

test('what was not run speaks neither for nor against', () => {
  const verdicts = failing('AB', { C: undefined });
  expect(names(verdicts, [suspect('M-1', 'ABC'), suspect('M-2', 'AB')], across)).toEqual(['M-1 0', 'M-2 0']);
});

test('is held against the permutations that the mutant was played under, and no others', () => {
  const wide = new Map([['A', EVERYTHING]]);
  const full = [
    ...outcomes({ B: 'fail', C: 'fail' }),
    { scenario: 'A', permutation: RSA, verdict: 'fail' as const },
  ];
  const suspects = [suspect('M-core', 'BC'), suspect('M-rsa', 'ABC', [RSA])];
  expect(names(full, suspects, wide)).toEqual(['M-core 0', 'M-rsa 0']);
  // Where the mutant's own permutation was not played, a pass under the core profile's says nothing of it.
  expect(fingerprint(failing('BC'), suspects.slice(1), wide)).toMatchObject([
    { distance: 0, unjudged: ['A'] },
  ]);
});
