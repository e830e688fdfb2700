import { expect, test } from 'vitest';
import { judge, Unjudgeable } from './finding.ts';
import type { Finding } from './finding.ts';

function finding(severity: Finding['severity'], reason: string, cause: string | null = null): Finding {
  return { severity, reason, cause, attribution: severity === 'info' ? 'specification' : 'target' };
}

const control = new Unjudgeable('inconclusive', 'target', 'the control was refused', 'a guess');

test('no finding is a pass without attribution, reason and cause', () => {
  expect(judge([], undefined)).toEqual({ verdict: 'pass', attribution: null, reason: null, cause: null });
});

test('the gravest finding decides, and only findings as grave as it are told', () => {
  const judgement = judge(
    [finding('info', 'i'), finding('fail', 'f1', 'c'), finding('warn', 'w'), finding('fail', 'f2', 'c')],
    undefined,
  );
  expect(judgement).toEqual({ verdict: 'fail', attribution: 'target', reason: 'f1\nf2', cause: 'c' });
});

test('an unmeasured variation outweighs a warning, but not a failure', () => {
  expect(judge([finding('warn', 'w'), finding('inconclusive', 'no answer')], undefined).verdict).toBe(
    'inconclusive',
  );
  expect(judge([finding('fail', 'f'), finding('inconclusive', 'no answer')], undefined).verdict).toBe('fail');
});

test('what ends a scenario decides over warnings and observations', () => {
  expect(judge([finding('warn', 'w'), finding('info', 'i')], control)).toEqual({
    verdict: 'inconclusive',
    attribution: 'target',
    reason: 'the control was refused',
    cause: 'a guess',
  });
});

test('a failure found before the scenario ended stays a failure', () => {
  expect(judge([finding('fail', 'f')], control).verdict).toBe('fail');
});

test('an observation alone is attributed to the specification', () => {
  expect(judge([finding('info', 'i')], undefined)).toMatchObject({
    verdict: 'info',
    attribution: 'specification',
  });
});
