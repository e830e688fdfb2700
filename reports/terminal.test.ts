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

test('says in one line which known mistakes the failures are like', () => {
  expect(terminalSummary(sampleReport(), options)).toContain(
    '\n  behaves like M-RS-21 compares ekm with the value of the certificate’s first connection · or M-RS-999 takes any exporter value of the process (nearly the same failures, distance 0.25)\n',
  );
  const { resemblances: _near, ...target } = sampleTarget;
  expect(terminalSummary(sampleReport({ targets: [target] }), options)).not.toContain('behaves like');
});

test('known failures come after new ones', () => {
  const text = terminalSummary(sampleReport(), options);
  expect(text.indexOf('RS-PL-4')).toBeGreaterThan(text.indexOf('✕ fail RS-T1'));
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
