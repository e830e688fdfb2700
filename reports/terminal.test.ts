import { expect, test } from 'vitest';
import { HOSTILE, sampleReport, sampleResult, sampleTarget } from './sample.ts';
import { terminalSummary } from './terminal.ts';

const options = { reportPath: 'conformance-report/index.html' };

test('tells conclusion, counts, each failure with its repeat command, path and cost', () => {
  const text = terminalSummary(sampleReport(), options);
  expect(text).toContain('ACME Edge Gateway: NOT CONFORMANT');
  expect(text).toContain('13 pass · 1 not-applicable · 1 info · 1 warn · 1 inconclusive · 6 fail');
  expect(text).toContain('✕ fail RS-EKM-5 refuses a proof that was made for another live connection');
  expect(text).toContain('repeat: npx tsbt run targets/acme/target.yaml --scenario RS-EKM-5\n');
  expect(text).toContain('--scenario RS-HDR-4 --permutation "TLSv1.3 h2 P-384"');
  expect(text).toContain('(1 of 3 permutations)');
  expect(text).toContain('? inconclusive RS-ERR-4');
  expect(text).toContain('Report: conformance-report/index.html\n3.29 s · ');
  expect(text).toContain('! The baseline lists RS-FLD-9');
});

test('says which known mistakes the failures are like, and what sets the target apart from them', () => {
  expect(terminalSummary(sampleReport(), options)).toContain(
    [
      '',
      '  behaves like M-RS-21 compares ekm with the value of the certificate’s first connection (nearly the same failures, distance 0.25)',
      '    fails here and not with it: RS-PL-4',
      '    fails with it, not judged here: RS-T4',
      '  or like M-RS-999 takes any exporter value of the process (nearly the same failures, distance 0.25)',
      '    fails here and not with it: RS-PL-4',
      '',
    ].join('\n'),
  );
  const { resemblances: _near, ...target } = sampleTarget;
  expect(terminalSummary(sampleReport({ targets: [target] }), options)).not.toContain('behaves like');
});

test('what follows from one mistake is told once, with the other scenarios on one line', () => {
  const ids = ['RS-A-1', 'RS-A-2', 'RS-A-3'];
  const results = ids.map((id) =>
    sampleResult({ id, suite: 's', title: 't', verdict: 'fail', cause: 'one mistake' }),
  );
  const text = terminalSummary(sampleReport({ results }), options);
  expect(text.match(/✕ fail/g)).toHaveLength(1);
  expect(text).toContain('      likely cause: one mistake\n      the same cause: RS-A-2, RS-A-3\n');
});

test('says what was not tried for want of an optional capability, and what to add', () => {
  const reason = 'the target does not claim counter';
  const result = sampleResult({ id: 'RS-ERR-6', suite: 's', title: 't', verdict: 'not-applicable', reason });
  const text = terminalSummary(sampleReport({ results: [result] }), options);
  expect(text).toContain(
    'Not tried for want of an optional capability; offer it and add it to capabilities in the manifest:\n    counter (POST <protected>/counter adds one, GET returns {"count": n}): RS-ERR-6\n',
  );
  expect(terminalSummary(sampleReport(), options)).not.toContain('Not tried');
});

test('known failures come after new ones', () => {
  const text = terminalSummary(sampleReport(), options);
  expect(text.indexOf('✕ fail RS-PL-4')).toBeGreaterThan(text.indexOf('✕ fail RS-T1'));
});

test('the number of failures told is bounded', () => {
  const results = Array.from({ length: 30 }, (_, index) =>
    sampleResult({ id: `RS-A-${index}`, suite: 's', title: 't', verdict: 'fail' }),
  );
  const text = terminalSummary(sampleReport({ results }), { ...options, limit: 4 });
  expect(text.match(/✕ fail/g)).toHaveLength(4);
  expect(text).toContain('… and 26 more, see report');
});

test('no control character but the line feed, whatever the target says', () => {
  const text = terminalSummary(sampleReport({ problems: [HOSTILE] }), { ...options, reportPath: HOSTILE });
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
});

test('a line break in a reason cannot forge a line of the summary', () => {
  const forged = sampleResult({
    id: 'RS-A',
    suite: 's',
    title: 't',
    verdict: 'fail',
    reason: 'x\nACME Edge Gateway: CONFORMANT',
  });
  expect(terminalSummary(sampleReport({ results: [forged] }), options)).not.toMatch(
    /^ACME Edge Gateway: CONFORMANT/m,
  );
});

test('colours only when asked for', () => {
  expect(terminalSummary(sampleReport(), { ...options, colour: true })).toContain(
    '\u001b[31m✕ fail\u001b[0m',
  );
});

test('an incomplete run is said to be one', () => {
  expect(terminalSummary(sampleReport({ complete: false }), options)).toContain('! The run is incomplete.');
});

test('several targets end in a table of their verdict counts', () => {
  const other = (name: string) => ({ ...sampleTarget, name, title: name });
  const few = terminalSummary(sampleReport({ targets: [sampleTarget, other('b')] }), options);
  expect(few).not.toMatch(/^target +role/m);
  const targets = [sampleTarget, other('second'), { ...other('third'), problem: 'no engine' }];
  const lines = terminalSummary(sampleReport({ targets }), options).split('\n');
  const at = lines.findIndex((line) => /^target +role/.test(line));
  expect(lines.slice(at, at + 4).map((line) => line.split(/ +/))).toEqual([
    ['target', 'role', 'pass', 'info', 'warn', 'fail', 'unclear', 'n/a'],
    [sampleTarget.name, sampleTarget.role, '13', '1', '1', '6', '1', '1', 'Not', 'conformant'],
    ['second', sampleTarget.role, '0', '0', '0', '0', '0', '0', 'Inconclusive'],
    ['third', sampleTarget.role, '–', '–', '–', '–', '–', '–', 'Not', 'run'],
  ]);
});
