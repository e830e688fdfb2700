import { expect, test } from 'vitest';
import type { Finding } from './observation.ts';
import { accidentalPasses, loadTrivialSubjects } from './trivial.ts';

const finding = (scenario: string, verdict: Finding['verdict'], more: Partial<Finding> = {}): Finding => ({
  scenario,
  verdict,
  attribution: null,
  reason: null,
  found: 0,
  cause: null,
  ...more,
});
const observed = (...findings: readonly Finding[]) => ({ subject: 'T-RS-x', findings, durationMs: 1 });
const because = 'it is right';

test.each<[string, ReturnType<typeof observed>, Parameters<typeof accidentalPasses>[1], readonly string[]]>([
  ['what fails is in order', observed(finding('RS-A-1', 'fail'), finding('RS-A-2', 'inconclusive')), [], []],
  ['a declared pass is in order', observed(finding('RS-A-1', 'pass')), [{ because, pass: ['RS-A-1'] }], []],
  [
    'another pass is not',
    observed(finding('RS-A-1', 'pass'), finding('RS-A-2', 'pass')),
    [{ because, pass: ['RS-A-1'] }],
    ['RS-A-2 passes, and no reason is given why that is right'],
  ],
  [
    'nor is a declared pass that has gone',
    observed(finding('RS-A-1', 'fail')),
    [{ because, pass: ['RS-A-1'] }],
    ['RS-A-1 is declared to pass, and does not'],
  ],
  [
    'nor one that is declared twice',
    observed(finding('RS-A-1', 'pass')),
    [
      { because, pass: ['RS-A-1'] },
      { because, pass: ['RS-A-1'] },
    ],
    ['RS-A-1 is declared twice'],
  ],
  [
    'nor a fault of the harness',
    observed(finding('RS-A-1', 'inconclusive', { attribution: 'harness', reason: 'it failed\nat a.ts' })),
    [],
    ['RS-A-1 ended by a fault of the harness: it failed'],
  ],
])('%s', (_what, observation, declared, expected) => {
  expect(accidentalPasses(observation, declared)).toEqual(expected);
});

test('a target that could not be tried is told, and nothing else of it', () => {
  const observation = { ...observed(), problem: 'it did not start' };
  expect(accidentalPasses(observation, [{ because, pass: ['RS-A-1'] }])).toEqual([
    'it could not be tried: it did not start',
  ]);
});

test('every role has trivial targets, each with the claims of its reference', async () => {
  const subjects = await loadTrivialSubjects();
  expect(new Set(subjects.map(({ role }) => role)).size).toBe(4);
  for (const { id, role, manifest } of subjects) {
    expect(manifest).toMatchObject({ role, name: id.toLowerCase(), start: { kind: 'module', variant: id } });
    expect(manifest.capabilities.length).toBeGreaterThan(0);
  }
});
