import { expect, test } from 'vitest';
import type { Verdict } from '../harness/scenario/record.ts';
import { concludeTargets } from './conclusion.ts';
import type { Report } from './model.ts';
import { sampleReport, sampleResult, sampleTarget } from './sample.ts';

function conclude(verdicts: readonly Verdict[], change: Partial<Omit<Report, 'schema' | 'summary'>> = {}) {
  const results = verdicts.map((verdict, index) =>
    sampleResult({ id: `RS-PL-${index + 1}`, suite: 's', title: 't', verdict }),
  );
  const [conclusion] = concludeTargets(sampleReport({ results, ...change }));
  if (conclusion === undefined) throw new Error('the sample has a target');
  return conclusion;
}

const strict = { ...sampleReport().selection, strict: true };
const partial = { ...sampleReport().selection, suites: ['Threats'] };

test.each<[string, readonly Verdict[], Partial<Omit<Report, 'schema' | 'summary'>>, string]>([
  ['all pass', ['pass', 'not-applicable', 'info'], {}, 'Conformant'],
  ['a warning does not break conformance', ['pass', 'warn'], {}, 'Conformant'],
  ['unless the run is strict', ['pass', 'warn'], { selection: strict }, 'Not conformant (strict)'],
  ['one failure', ['pass', 'fail', 'inconclusive'], {}, 'Not conformant'],
  ['one failure in an incomplete run', ['fail'], { complete: false }, 'Not conformant'],
  ['nothing ran', [], {}, 'Inconclusive'],
  ['nothing applied', ['not-applicable'], {}, 'Inconclusive'],
  ['something could not be judged', ['pass', 'inconclusive'], {}, 'Inconclusive'],
  ['an incomplete run', ['pass'], { complete: false }, 'Inconclusive'],
  ['a target that did not start', [], { targets: [{ ...sampleTarget, problem: 'exited' }] }, 'Not run'],
  ['a part of the suite', ['pass'], { selection: partial }, 'Conformant, in the selected part'],
])('%s', (_, verdicts, change, headline) => {
  expect(conclude(verdicts, change).headline).toBe(headline);
});

test('a known failure is still a failure, and is said to be known', () => {
  const conclusion = conclude(['pass', 'pass', 'pass', 'fail']);
  expect(conclusion.conclusion).toBe('not-conformant');
  expect(conclusion.known).toEqual([{ scenario: 'RS-PL-4', reason: '#41: no upper bound on iat yet' }]);
  expect(conclusion.because).toContain('All are listed as known failures.');
});
