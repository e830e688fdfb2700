import { describe, expect, test } from 'vitest';
import { CORE } from './permutation.ts';
import { explainedGrossly, findGrossMistakes, grossCause, mayBeGross } from './gross-mistakes.ts';
import type { GrossMistake } from './gross-mistakes.ts';
import type { Finding } from './finding.ts';
import { Play } from './play.ts';
import { LITERAL } from './preparation.ts';
import { challenged, onPaper, response } from './target.fixture.ts';
import type { Paper } from './target.fixture.ts';

const EKM: GrossMistake = {
  covers: ['proof.claims.ekm'],
  also: ['token.claims.cnf.tls_exp'],
  cause: 'no ekm',
};
const ANY: GrossMistake = { covers: ['proof', 'proof.'], cause: 'any proof' };
const CERTIFICATE: GrossMistake = { covers: ['connection.certificate'], cause: 'no thumbprint' };

test.each<[string, readonly string[], readonly GrossMistake[], string | null]>([
  ['nothing is known to be missing', ['proof.claims.ekm'], [], null],
  ['the check of just this field is missing', ['proof.claims.ekm'], [EKM], 'no ekm'],
  ['another check is missing', ['proof.claims.ath'], [EKM], null],
  ['another field differs too, and is checked', ['proof.claims.ekm', 'proof.claims.ath'], [EKM], null],
  ['what differs besides is no matter of a check', ['proof.claims.ekm', 'request.method'], [EKM], 'no ekm'],
  ['the method alone differs', ['request.method'], [EKM, ANY], null],
  ['a field differs that counts only beside the missing one', ['token.claims.cnf.tls_exp'], [EKM], null],
  ['it counts beside it', ['proof.claims.ekm', 'token.claims.cnf.tls_exp'], [EKM], 'no ekm'],
  ['one missing check is enough', ['proof.claims.ekm'], [ANY, EKM], 'any proof'],
  [
    'two are needed together',
    ['proof.claims.ekm', 'connection.certificate'],
    [EKM, CERTIFICATE],
    'no ekm\nno thumbprint',
  ],
])('where %s, that decides the cause', (_what, differs, known, cause) => {
  expect(grossCause(differs, known)).toBe(cause);
});

test('only what was served, and differs in known fields, may be due to a missing check', () => {
  const finding: Finding = {
    severity: 'fail',
    reason: 'it: served',
    cause: 'its own',
    deviation: 'served',
    attribution: 'target',
    differs: ['proof.claims.ekm'],
  };
  const { differs: _differs, ...vague } = finding;
  const found = [finding, { ...finding, deviation: 'other-manner' as const }, vague];
  expect(found.map(mayBeGross)).toEqual([true, false, false]);
  expect(explainedGrossly(found, [EKM]).map(({ cause }) => cause)).toEqual(['no ekm', 'its own', 'its own']);
  expect(explainedGrossly(found, [CERTIFICATE])).toEqual(found);
});

describe('a target', () => {
  const missing = async (paper: Paper): Promise<readonly (string | undefined)[]> => {
    await using play = new Play(onPaper(paper).setting, CORE, LITERAL);
    return (await findGrossMistakes(play)).map(({ covers }) => covers[0]);
  };

  test('that refuses what is wrong lacks no check', async () => {
    const found = await missing({
      answer: (seen) => (seen.right ? response(200) : challenged('invalid_proof')),
    });
    // The server on paper compares these three.
    for (const field of ['proof', 'proof.claims.ekm', 'proof.claims.ath', 'proof.header.x5t#S256'])
      expect(found).not.toContain(field);
  });

  test('that serves everything lacks every check', async () => {
    const found = await missing({ answer: () => response(200) });
    expect(found).toEqual(
      expect.arrayContaining(['proof', 'proof.signature', 'proof.claims.ekm', 'token.signature']),
    );
    // Neither demanded nor verified is one mistake.
    expect(found.filter((field) => field === 'proof')).toHaveLength(1);
  });

  test('that cannot be reached is not known to lack any', async () => {
    expect(await missing({ answer: () => challenged('invalid_token') })).toEqual([]);
  });
});
