import { expect, test } from 'vitest';
import { ConnectFailure } from '../wire/connection.ts';
import { judge, reasonOf, Unjudgeable } from './finding.ts';
import type { Finding } from './finding.ts';
import { VERDICTS } from './record.ts';

function finding(severity: Finding['severity'], reason: string, cause: string | null = null): Finding {
  const attribution = severity === 'info' ? 'specification' : 'target';
  return { severity, reason, cause, deviation: severity === 'fail' ? 'served' : null, attribution };
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
  expect(judgement).toEqual({
    verdict: 'fail',
    attribution: 'target',
    reason: 'f1\nf2',
    cause: 'c',
    findings: [
      { reason: 'f1', cause: 'c', deviation: 'served' },
      { reason: 'f2', cause: 'c', deviation: 'served' },
    ],
  });
});

test('an unmeasured variation outweighs a warning, but not a failure', () => {
  expect(judge([finding('warn', 'w'), finding('inconclusive', 'no answer')], undefined).verdict).toBe(
    'inconclusive',
  );
  expect(judge([finding('fail', 'f'), finding('inconclusive', 'no answer')], undefined).verdict).toBe('fail');
});

test('what could not be judged has no cause, whatever the diagnosis or a finding says', () => {
  expect(judge([], control).cause).toBeNull();
  expect(judge([finding('inconclusive', 'no answer', 'a guess')], undefined)).toMatchObject({
    verdict: 'inconclusive',
    cause: null,
  });
});

test('what ends a scenario decides over warnings and observations', () => {
  expect(judge([finding('warn', 'w'), finding('info', 'i')], control)).toEqual({
    verdict: 'inconclusive',
    attribution: 'target',
    reason: 'the control was refused',
    cause: null,
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

test('a reason or a cause that several findings have is told once, others one below the other', () => {
  const findings = [finding('fail', 'f1', 'c1'), finding('fail', 'f1', 'c2'), finding('fail', 'f2', 'c1')];
  expect(judge([...findings, finding('fail', 'f3')], undefined)).toMatchObject({
    verdict: 'fail',
    attribution: 'target',
    reason: 'f1\nf2\nf3',
    cause: 'c1\nc2',
  });
  expect(judge([finding('warn', 'w')], undefined).cause).toBeNull();
});

test('of causes of several lines each line is told once', () => {
  const findings = [
    finding('fail', 'f1', 'c1\nc2'),
    finding('fail', 'f2', 'c2'),
    finding('fail', 'f3', 'c3\nc1'),
  ];
  expect(judge(findings, undefined)).toMatchObject({ reason: 'f1\nf2\nf3', cause: 'c1\nc2\nc3' });
});

test('what ended a scenario stays what it was', () => {
  expect(reasonOf(control)).toBe(control);
  expect(control).toMatchObject({ name: 'Unjudgeable', message: 'the control was refused' });
  expect(new Unjudgeable('not-applicable', 'target', 'r').likelyCause).toBeNull();
});

test('a connection that is needed and refused is a matter of the environment, any other of the target', () => {
  const failed = (kind: 'refused' | 'closed') =>
    reasonOf(new ConnectFailure({ type: 'failure', kind, detail: 'd', durationMs: 1 }));
  expect(failed('refused')).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'environment',
    message: 'a connection that the scenario needs was not established: d',
  });
  expect(failed('closed')).toMatchObject({ verdict: 'inconclusive', attribution: 'target' });
});

test('anything unforeseen is the harness’s own fault, told with its stack where it has one', () => {
  const error = new Error('a bug');
  expect(reasonOf(error)).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'harness',
    message: `the harness failed: ${error.stack}`,
  });
  const bare = Object.assign(new Error('a bug'), { stack: undefined });
  expect(reasonOf(bare).message).toBe('the harness failed: a bug');
  expect(reasonOf('thrown').message).toBe('the harness failed: thrown');
});

test('a private key in the message of an error stays out of the record', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----';
  for (const message of [`cannot use ${pem} here`, `cannot use ${pem.slice(0, 40)}`]) {
    const reason = reasonOf(new TypeError(message)).message;
    expect(reason).toContain('cannot use <a private key>');
    expect(reason).not.toContain('MIGH');
  }
});

test('verdicts are listed in the order in which findings outweigh each other', () => {
  expect(new Set(VERDICTS).size).toBe(6);
  expect(VERDICTS.at(-1)).toBe('pass');
  const severities = (['info', 'warn', 'inconclusive', 'fail'] as const).map((one) => finding(one, one));
  for (let count = severities.length; count > 0; count--) {
    const verdict = judge(severities.slice(0, count), undefined).verdict;
    expect(VERDICTS.indexOf(verdict)).toBe(severities.length - count);
  }
});

test('no private key that an error quotes gets into a reason, not even one cut short', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----';
  expect(reasonOf(`in ${key} and ${key}.`).message).toBe(
    'the harness failed: in <a private key> and <a private key>.',
  );
  expect(reasonOf('in -----BEGIN EC PRIVATE KEY-----\nMIG').message).toBe(
    'the harness failed: in <a private key>',
  );
});
