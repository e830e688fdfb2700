import { expect, test } from 'vitest';
import { CORE } from '../scenario/permutation.ts';
import type { ResultRecord, Verdict } from '../scenario/record.ts';
import { findingsOf, killSetOf } from './observation.ts';

function result(scenario: string, verdict: Verdict, reason: string | null = null): ResultRecord {
  return {
    target: 't',
    scenario,
    requirement: scenario,
    level: 'MUST',
    suite: 's',
    title: 't',
    permutation: CORE,
    verdict,
    attribution: verdict === 'pass' ? null : 'target',
    reason,
    cause: null,
    durationMs: 1,
    evidence: { connections: [], exchanges: [], pairs: [], notes: [] },
  };
}

test('of several permutations the gravest verdict counts, and a failure is graver than what could not be judged', () => {
  const findings = findingsOf([
    result('A', 'pass'),
    result('A', 'fail', 'on h2'),
    result('A', 'inconclusive'),
    result('B', 'not-applicable'),
    result('B', 'warn', 'w'),
  ]);
  expect(findings.map(({ scenario, verdict, reason }) => [scenario, verdict, reason])).toEqual([
    ['A', 'fail', 'on h2'],
    ['B', 'warn', 'w'],
  ]);
});

test('what a scenario found is counted, and of permutations alike the one that found more counts', () => {
  const findings = findingsOf([
    result('A', 'fail', 'one'),
    result('A', 'fail', 'one\ntwo'),
    result('A', 'fail', 'three'),
    result('B', 'warn', 'one\ntwo\nthree'),
    result('C', 'pass'),
  ]);
  expect(findings.map(({ scenario, found }) => [scenario, found])).toEqual([
    ['A', 2],
    ['B', 3],
    ['C', 0],
  ]);
  expect(killSetOf({ subject: 'M', findings, durationMs: 1 }, 'mutant')).toEqual(['A ×2', 'B warn ×3']);
});

test('kill sets are sorted by number, and say verdicts other than fail', () => {
  const findings = findingsOf([
    result('RS-X-10', 'fail'),
    result('RS-X-2', 'warn'),
    result('RS-X-1', 'pass'),
    result('RS-X-3', 'inconclusive'),
    result('RS-X-4', 'not-applicable'),
    result('RS-X-5', 'info'),
  ]);
  const observation = { subject: 'M', findings, durationMs: 1 };
  expect(killSetOf(observation, 'mutant')).toEqual(['RS-X-2 warn', 'RS-X-5 info', 'RS-X-10']);
  expect(killSetOf(observation, 'variant')).toEqual([
    'RS-X-2 warn',
    'RS-X-3 inconclusive',
    'RS-X-4 not-applicable',
    'RS-X-5 info',
    'RS-X-10',
  ]);
});
