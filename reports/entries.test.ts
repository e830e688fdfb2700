import { expect, test } from 'vitest';
import type { Deviation, ResultRecord } from '../harness/scenario/record.ts';
import { concludeTargets } from './conclusion.ts';
import { entriesOf } from './entries.ts';
import type { Catch } from './model.ts';
import { sampleReport, sampleResult, sampleTarget } from './sample.ts';

function failing(
  id: string,
  deviation: Deviation | null = 'other-manner',
  cause: string | null = null,
): ResultRecord {
  const reason = `${id}: not as it must be`;
  return sampleResult({
    id,
    suite: 's',
    title: 't',
    verdict: 'fail',
    reason,
    ...(cause !== null && { cause }),
    findings: [{ reason, cause, deviation }],
  });
}

function unjudged(id: string, reason: string): ResultRecord {
  return sampleResult({ id, suite: 's', title: 't', verdict: 'inconclusive', reason });
}

function told(results: readonly ResultRecord[], catches?: readonly Catch[]): string[] {
  const [conclusion] = concludeTargets(sampleReport({ results }));
  if (conclusion === undefined) throw new Error('the sample has a target');
  return entriesOf(conclusion, catches).map(({ lead, also }) =>
    [lead, ...also].map(({ scenario }) => scenario).join(' + '),
  );
}

function caught(id: string, ...scenarios: string[]): Catch {
  return { id, mistake: id, breaks: [], scenarios };
}

test('what was served comes first, then what fails otherwise, then what could not be judged', () => {
  const results = [
    unjudged('RS-A', 'no answer'),
    failing('RS-B'),
    failing('RS-C', 'served'),
    failing('RS-D', 'attack'),
  ];
  expect(told(results)).toEqual(['RS-C', 'RS-D', 'RS-B', 'RS-A']);
});

test('of those that were served, the one that the fewest known mistakes fail comes first', () => {
  const results = ['RS-A', 'RS-B', 'RS-C', 'RS-D'].map((id) => failing(id, 'served'));
  const catches = [
    caught('M-1', 'RS-A', 'RS-B', 'RS-C'),
    caught('M-2', 'RS-A', 'RS-C'),
    caught('M-3', 'RS-A'),
  ];
  // Where nothing is known of a scenario, it says the least.
  expect(told(results, catches)).toEqual(['RS-B', 'RS-C', 'RS-A', 'RS-D']);
  expect(told(results)).toEqual(['RS-A', 'RS-B', 'RS-C', 'RS-D']);
});

test('what follows from one mistake is one entry, with the scenario that the cause refers to in front, and comes first', () => {
  const ignored = 'ekm is not compared at all (see RS-C).';
  const results = [
    failing('RS-A', 'served', 'a mistake of its own'),
    failing('RS-B', 'served', ignored),
    failing('RS-C', 'served', ignored),
    failing('RS-D', 'served', ignored),
    failing('RS-E', 'rejected', ignored),
    failing('RS-F', 'served'),
    failing('RS-G', 'served'),
  ];
  expect(told(results)).toEqual(['RS-C + RS-B + RS-D', 'RS-A', 'RS-F', 'RS-G', 'RS-E']);
});

test('several causes are the same in whatever order they were found', () => {
  const results = [failing('RS-A', 'served', 'one\nanother'), failing('RS-B', 'served', 'another\none')];
  expect(told(results)).toEqual(['RS-A + RS-B']);
});

test('a finding without a cause may have another one than the rest: then the scenario stands for itself', () => {
  const partly = failing('RS-B', 'served', 'one mistake');
  const findings = [...(partly.findings ?? []), { reason: 'r', cause: null, deviation: 'served' as const }];
  expect(told([failing('RS-A', 'served', 'one mistake'), { ...partly, findings }])).toEqual(['RS-A', 'RS-B']);
});

test('what could not be judged for want of a valid request is one entry for each way in which that was rejected', () => {
  const control = (what: string, answer: string): string =>
    `the control "${what}" was not served (${answer}), so a refusal would prove nothing`;
  const results = [
    unjudged('RS-A', control('the right request', '401 invalid_proof')),
    unjudged('RS-B', control('the victim, before the attack', '401 invalid_proof')),
    unjudged('RS-C', control('the right request', '403 no Bearer challenge')),
  ];
  expect(told(results)).toEqual(['RS-A + RS-B', 'RS-C']);
});

test('known failures come after new ones, and are not mixed with them', () => {
  const [known = ''] = Object.keys(sampleTarget.knownFailures);
  const results = [failing(known, 'served', 'one mistake'), failing('RS-A', 'statement', 'one mistake')];
  expect(told(results)).toEqual(['RS-A', known]);
  expect(told([failing(known, 'served', 'one mistake'), failing('RS-B', 'served', 'one mistake')])).toEqual([
    'RS-B',
    known,
  ]);
});
