import { expect, test } from 'vitest';
import type { Level } from '../harness/scenario/record.ts';
import { concludeTargets } from './conclusion.ts';
import { missingCapabilities } from './optional-capabilities.ts';
import { sampleReport, sampleResult } from './sample.ts';

function left(id: string, reason: string, level: Level = 'MUST') {
  return sampleResult({ id, suite: 's', title: 't', verdict: 'not-applicable', level, reason });
}

test('names each optional capability for want of which something binding was not tried, and what claims it', () => {
  const results = [
    left('RS-A', 'the target does not claim echo'),
    left('RS-B', 'the target does not claim counter (two GET requests are not answered alike)', 'SECURITY'),
    left('RS-C', 'the target does not claim echo, counter', 'MUST NOT'),
    left('RS-D', 'the target does not claim echo', 'SHOULD'),
    left('RS-E', 'the target does not claim dpop'),
    left('RS-F', 'the target does not claim echo, dpop'),
    left('RS-G', 'the target does not resume TLS sessions'),
    sampleResult({ id: 'RS-H', suite: 's', title: 't', verdict: 'pass' }),
  ];
  const [conclusion] = concludeTargets(sampleReport({ results }));
  if (conclusion === undefined) throw new Error('the sample has a target');
  expect(missingCapabilities(conclusion)).toEqual([
    { name: 'echo', claim: expect.stringContaining('sub of the token'), scenarios: ['RS-A', 'RS-C'] },
    { name: 'counter', claim: expect.stringContaining('/counter'), scenarios: ['RS-B', 'RS-C'] },
  ]);
});
