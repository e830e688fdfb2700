import { expect, test } from 'vitest';
import { countVerdicts, groupByScenario, measureEvidence, summarise, worstVerdict } from './assemble.ts';
import { sampleReport, sampleResult, sampleTarget } from './sample.ts';

const one = (id: string, verdict: 'pass' | 'fail' | 'inconclusive') =>
  sampleResult({ id, suite: 's', title: 't', verdict });

test('counts every verdict, also those nobody has', () => {
  expect(countVerdicts([{ verdict: 'pass' }, { verdict: 'fail' }, { verdict: 'pass' }])).toEqual({
    pass: 2,
    fail: 1,
    warn: 0,
    info: 0,
    'not-applicable': 0,
    inconclusive: 0,
  });
});

test('a target without results and results without a target both have their entry', () => {
  const stray = { ...one('RS-X', 'fail'), target: 'stray' };
  const summary = summarise([stray], [sampleTarget]);
  expect(Object.keys(summary)).toEqual([sampleTarget.name, 'stray']);
  expect(summary['stray']?.fail).toBe(1);
  expect(Object.values(summary[sampleTarget.name] ?? {}).every((count) => count === 0)).toBe(true);
});

test('the summary adds up to the results, which are taken as they are', () => {
  const report = sampleReport();
  const counts: Record<string, number> = { ...report.summary[sampleTarget.name] };
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(report.results.length);
  const results = [one('RS-A', 'pass')];
  expect(sampleReport({ results }).results).toBe(results);
});

test('permutations of a scenario are one group, its gravest result first', () => {
  const results = [
    one('RS-A', 'pass'),
    one('RS-B', 'pass'),
    one('RS-A', 'inconclusive'),
    one('RS-A', 'fail'),
  ];
  const groups = groupByScenario(results);
  expect(groups.map(({ scenario, verdict }) => [scenario, verdict])).toEqual([
    ['RS-A', 'fail'],
    ['RS-B', 'pass'],
  ]);
  expect(groups[0]?.results.map(({ verdict }) => verdict)).toEqual(['fail', 'inconclusive', 'pass']);
});

test('ranks verdicts', () => {
  expect(worstVerdict(['pass', 'info', 'inconclusive'])).toBe('inconclusive');
  expect(worstVerdict([])).toBe('pass');
});

test('measures what the evidence shows', () => {
  expect(measureEvidence([one('RS-A', 'pass'), one('RS-B', 'pass')])).toEqual({ handshakes: 4, requests: 6 });
});
