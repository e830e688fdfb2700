import { describe, expect, test } from 'vitest';
import { CORE } from '../permutation.ts';
import { NO_EVIDENCE } from '../recording.ts';
import type { ProofTally, ResultRecord } from '../record.ts';
import type { Requirement } from '../requirement.ts';
import { clientSuite } from './client-scenario.ts';
import { everyProofJudged, excludedRate, judgesOfEveryProof } from './every-proof.ts';
import { NO_PROOFS } from './proof-tally.ts';

const run = async (): Promise<void> => undefined;
const SCENARIOS = clientSuite('paper', [
  { id: 'CL-X-1', title: 'is first', run },
  { id: 'CL-X-2', title: 'is second', run },
  { id: 'CL-X-1.every', title: 'judges all', judgesEveryProof: true, run },
]);

function requirement(id: string): Requirement {
  return { id, role: 'client', level: 'MUST', sections: '1', area: '', statement: '', ambiguities: [] };
}

function result(scenario: string, proofs?: ProofTally, beside: Partial<ResultRecord> = {}): ResultRecord {
  return {
    target: 'paper',
    scenario,
    requirement: scenario,
    level: 'MUST',
    suite: 'paper',
    title: '',
    permutation: CORE,
    verdict: 'pass',
    attribution: null,
    reason: null,
    cause: null,
    durationMs: 1,
    evidence: NO_EVIDENCE,
    ...(proofs && { proofs }),
    ...beside,
  };
}

const good = (examined: number): ProofTally => ({
  examined,
  wellFormed: { 'x5t#S256': examined, ath: examined, ekm: examined },
  malformed: [],
});

const bad = (part: ProofTally['malformed'][number]['part'] = 'serialization', many = 1): ProofTally => ({
  ...NO_PROOFS,
  examined: many,
  malformed: Array.from({ length: many }, () => ({
    where: 'GET / on c1',
    part,
    what: 'is short',
    cure: 'Fill.',
  })),
});

function judged(...results: readonly ResultRecord[]): ResultRecord | undefined {
  const all = everyProofJudged({
    results,
    tallied: results,
    scenarios: SCENARIOS,
    requirement,
    strict: false,
  });
  expect(all.map(({ scenario }) => scenario)).toEqual(results.map(({ scenario }) => scenario));
  const others = (some: readonly ResultRecord[]): readonly ResultRecord[] =>
    some.filter(({ scenario }) => scenario !== 'CL-X-1.every');
  expect(others(all)).toEqual(others(results));
  return all.find(({ scenario }) => scenario === 'CL-X-1.every');
}

test('a scenario says that it judges every proof', () => {
  expect([...judgesOfEveryProof(SCENARIOS)]).toEqual(['CL-X-1.every']);
});

test.each([
  [1, 0.99],
  [40, 0.1087],
  [430, 0.01065],
])('%i well-formed proofs exclude a share of %f', (count, rate) => {
  expect(excludedRate(count)).toBeCloseTo(rate, 4);
});

describe('the scenario that judges every proof', () => {
  const own = result('CL-X-1.every', good(1));

  test('passes, with the number of proofs and what they exclude, where all are well-formed', () => {
    const one = judged(
      result('CL-X-1', good(400)),
      own,
      result('CL-X-2', good(29)),
      result('CL-X-2', NO_PROOFS),
    );
    expect(one).toMatchObject({
      verdict: 'pass',
      evidence: {
        notes: [expect.stringMatching(/^430 proofs from 3 scenarios were examined.* fewer than 1\.1 %/)],
        measurements: [{ value: 430 }, { value: 93 }],
      },
    });
  });

  test('fails with one finding, in the order of the suites, whichever scenario ended first', () => {
    const [first, second] = [result('CL-X-1', bad()), result('CL-X-2', bad('serialization', 5))];
    const expected = {
      verdict: 'fail',
      attribution: 'target',
      reason:
        '6 of 7 proofs from 3 scenarios are malformed, in CL-X-1 (GET / on c1: is short); CL-X-2 (GET / on c1: is short)',
      cause: 'Fill.',
      findings: [{ deviation: 'defect' }],
      repeatWith: ['CL-X-1'],
    };
    expect(judged(first, second, own)).toMatchObject(expected);
    expect(judged(own, second, first)).toMatchObject(expected);
  });

  test('needs no other one to repeat what its own proof shows', () => {
    expect(judged(result('CL-X-1', good(9)), result('CL-X-1.every', bad()))).not.toHaveProperty('repeatWith');
  });

  test('fails for a value that is malformed in some proofs, not for one that is so in all', () => {
    expect(judged(result('CL-X-1', good(9)), result('CL-X-1.every', bad('ath')))?.verdict).toBe('fail');
    expect(judged(result('CL-X-1', bad('ath')), result('CL-X-1.every', bad('ath')))?.verdict).toBe('pass');
  });

  test('judges the proofs of its own target only', () => {
    expect(judged(result('CL-X-1', bad(), { target: 'other' }), own)?.verdict).toBe('pass');
  });

  test('keeps its own verdict where no proof arrived, or all are well-formed', () => {
    const silent = result('CL-X-1.every', undefined, {
      verdict: 'inconclusive',
      attribution: 'target',
      reason: 'no proof',
    });
    expect(judged(silent)).toBe(silent);
    expect(judged(silent, result('CL-X-1', good(3)))).toMatchObject({
      verdict: 'inconclusive',
      reason: 'no proof',
    });
    expect(judged(silent, result('CL-X-1', bad()))).toMatchObject({ verdict: 'fail' });
  });
});
