import { expect, test } from 'vitest';
import type { Defect } from './defect.ts';
import { addedUp, NO_PROOFS, tallyOf } from './proof-tally.ts';
import { proofOn, provenConnection } from './proof-examination.fixture.ts';

const connection = provenConnection('c1');
const valid = proofOn(connection);
const MALFORMED: Defect = { aspect: 'form', what: 'one octet is missing', cure: 'Keep it.' };
const ELSEWHERE: Defect = { aspect: 'ekm', what: 'of another connection', cure: null, astray: true };

const arrived = (proof: string, defects: readonly Defect[] = []) => ({ proof, where: 'GET /', defects });
const withAth = (ath: unknown): string => proofOn(connection, { claims: { ath } });

test('each proof counts once, however often it arrives', () => {
  const other = proofOn(connection, { claims: { iat: 1 } });
  expect(tallyOf([valid, other, valid].map((proof) => arrived(proof)))).toEqual({
    examined: 2,
    wellFormed: { 'x5t#S256': 2, ath: 2, ekm: 2 },
    malformed: [],
  });
});

test('the form of a proof is examined, not what its values belong to', () => {
  const { malformed } = tallyOf([arrived(valid, [ELSEWHERE]), arrived(withAth('A'.repeat(43)), [MALFORMED])]);
  expect(malformed).toEqual([
    { where: 'GET /', part: 'serialization', what: 'one octet is missing', cure: 'Keep it.' },
  ]);
});

test.each([
  ['padded', `${'A'.repeat(43)}=`, 'ath has 44 characters, among them "="'],
  ['in the other alphabet', `${'A'.repeat(41)}+A`, 'ath has 43 characters, among them "+"'],
  ['one character short', 'A'.repeat(42), 'ath has 42 characters,'],
  ['not canonical', `${'A'.repeat(42)}B`, 'ath has 43 characters,'],
  ['empty', '', 'ath has 0 characters,'],
  ['the token itself', 'secret.secret', 'ath has 13 characters, among them "."'],
])('an ath that is %s is malformed, and not shown', (_how, ath, what) => {
  const { malformed, wellFormed } = tallyOf([arrived(withAth(ath))]);
  expect(malformed).toEqual([expect.objectContaining({ part: 'ath', what: expect.stringContaining(what) })]);
  expect(wellFormed.ath).toBe(0);
  expect(JSON.stringify(malformed)).not.toContain('secret');
});

test.each([
  ['missing', undefined],
  ['a number', 7],
] as const)('an ath that is %s is no matter of its form', (_how, ath) => {
  expect(tallyOf([arrived(withAth(ath))]).malformed).toEqual([]);
});

test('a proof that cannot be taken apart is malformed once', () => {
  expect(tallyOf([arrived('word', [MALFORMED])])).toMatchObject({ examined: 1, malformed: [{}] });
});

test('tallies are added up', () => {
  const one = tallyOf([arrived(valid)]);
  const two = tallyOf([arrived(withAth(''))]);
  expect(addedUp([])).toEqual(NO_PROOFS);
  expect(addedUp([one, two])).toEqual({
    examined: 2,
    wellFormed: { 'x5t#S256': 2, ath: 1, ekm: 2 },
    malformed: two.malformed,
  });
});
