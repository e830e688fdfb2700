import { expect, test } from 'vitest';
import { NO_PROOFS } from '../scenario/client/proof-tally.ts';
import { CORE } from '../scenario/permutation.ts';
import { NO_EVIDENCE } from '../scenario/recording.ts';
import type { ResultRecord, Verdict } from '../scenario/record.ts';
import { disturbed, isSettled, playedAlone, settled } from './again.ts';

function result(scenario: string, again?: true, verdict: Verdict = 'inconclusive'): ResultRecord {
  return {
    target: 'paper',
    scenario,
    requirement: scenario,
    level: 'MUST',
    suite: 'paper',
    title: 'does what it should',
    permutation: CORE,
    verdict,
    attribution: 'target',
    reason: 'for some reason',
    cause: null,
    durationMs: 1,
    evidence: NO_EVIDENCE,
    ...(again === undefined ? {} : { again }),
  };
}

test.each<[string, readonly (readonly [Verdict, true?])[], readonly number[]]>([
  ['nothing was disturbed', [['pass'], ['fail'], ['inconclusive']], []],
  ['a valid request was rejected', [['pass'], ['inconclusive', true]], [1]],
  ['something was found as well', [['fail'], ['pass'], ['fail', true], ['warn']], [0, 2, 3]],
  ['the rest was not even begun', [['inconclusive'], ['not-applicable'], ['inconclusive', true]], [2]],
])('played again where %s', (_what, rows, expected) => {
  const results = rows.map(([verdict, again], i) => result(`RS-X-${i}`, again, verdict));
  expect(disturbed(results)).toEqual(expected.map((i) => results[i]));
});

test('what rests on a connection that ended unanswered is played again only where something was disturbed', () => {
  const doubted: ResultRecord = { ...result('RS-X-0', undefined, 'pass'), unanswered: true };
  const other = result('RS-X-1', undefined, 'pass');
  const rejected = result('RS-X-2', true);
  expect(disturbed([doubted, other])).toEqual([]);
  expect(disturbed([doubted, other, rejected])).toEqual([doubted, rejected]);
  expect([doubted, other].map(isSettled)).toEqual([false, true]);
  expect(settled(doubted)).toEqual(result('RS-X-0', undefined, 'pass'));
});

test('a report never shows the mark, and says what was played alone', () => {
  expect(settled(result('RS-X-1', true))).toEqual(result('RS-X-1'));
  expect(settled({ ...result('RS-X-1'), proofs: NO_PROOFS })).toEqual(result('RS-X-1'));
  expect(playedAlone(result('RS-X-1', true))).toMatchObject({
    scenario: 'RS-X-1',
    evidence: { notes: [expect.stringMatching(/^Played once more on its own/)] },
  });
  expect(playedAlone(result('RS-X-1', true))).not.toHaveProperty('again');
});
