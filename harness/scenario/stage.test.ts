import { expect, test } from 'vitest';
import type { Outcome } from '../wire/connection.ts';
import { CAUSE } from './cause.fixture.ts';
import { stageOn } from './stage.fixture.ts';
import type { RequestPlan } from './request.ts';
import { challenged, failure, response } from './target.fixture.ts';
import type { Paper } from './target.fixture.ts';

test('a control that is served is returned, and recorded as one', async () => {
  const { stage } = stageOn();
  const exchange = await stage.control();
  expect(exchange.served).toBe(true);
  expect(stage.evidence.close().exchanges).toMatchObject([
    { part: 'control', what: 'the right request', expected: 'served', observed: '200' },
  ]);
  expect(stage.findings).toEqual([]);
});

test('a control that is refused leaves nothing to be judged', async () => {
  const { stage } = stageOn({ answer: () => challenged('invalid_token') });
  await expect(stage.control('a plain one')).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    message:
      'the control "a plain one" was not served (401 invalid_token), so a refusal would prove nothing; see RS-MUX-9',
    likelyCause: null,
  });
});

test('a control without an answer is a matter of the environment', async () => {
  const { stage } = stageOn({ answer: () => failure('timeout') });
  await expect(stage.control()).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'environment',
  });
});

test('a control cut off on a new connection is the target’s matter, on a used one it makes the requirement inapplicable', async () => {
  const { stage } = stageOn({ answer: () => failure('closed', 'end of stream') });
  await expect(stage.control()).rejects.toMatchObject({ verdict: 'inconclusive', attribution: 'target' });
  const on = await stage.connect();
  await expect(stage.control('it', {}, { on })).rejects.toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    message:
      'the target ended connection c2 (closed: end of stream), and this requirement is about a connection that goes on',
  });
});

test('a control that is refused on a given connection stays a refusal', async () => {
  const { stage } = stageOn({ answer: () => challenged('invalid_token') });
  const on = await stage.connect();
  await expect(stage.control('it', {}, { on })).rejects.toMatchObject({ verdict: 'inconclusive' });
});

/** A harmless difference, and a target that minds it. */
const ODD: RequestPlan = { fields: [['X-Odd', '1']] };
const oddly = (outcome: Outcome): Paper => ({
  answer: ({ request }) => (request.fields.some(([name]) => name === 'X-Odd') ? outcome : response(200)),
});

test('what must be accepted and is leaves no finding', async () => {
  const { stage } = stageOn();
  expect((await stage.accepts('the right one')).served).toBe(true);
  expect(stage.findings).toEqual([]);
  expect(stage.evidence.close().exchanges).toMatchObject([{ part: 'variant', expected: 'served' }]);
});

test.each<[string, Outcome, string]>([
  ['a refusal', challenged('invalid_proof'), '401 invalid_proof'],
  ['a failure of its own', response(500), '500'],
  ['a closed connection', failure('closed', 'x'), 'closed: x'],
  ['garbage', failure('garbage', 'x'), 'garbage: x'],
  ['an endless response', failure('endless-response', 'x'), 'endless-response: x'],
])('what must be accepted and meets %s is held against the target', async (_what, outcome, text) => {
  const { stage } = stageOn(oddly(outcome));
  await stage.accepts('this one', ODD);
  expect(stage.findings).toMatchObject([
    {
      severity: 'fail',
      reason: `this one: must be served, was answered ${text}`,
      cause: CAUSE,
      attribution: 'target',
    },
  ]);
});

test.each(['timeout', 'refused'] as const)(
  'what must be accepted and meets silence (%s) could not be measured',
  async (kind) => {
    const { stage } = stageOn({ answer: () => failure(kind, 'x') });
    await stage.accepts('this one');
    expect(stage.findings).toMatchObject([
      {
        severity: 'inconclusive',
        reason: `this one: no answer that can be judged (${kind}: x)`,
        cause: null,
        attribution: 'target',
      },
    ]);
  },
);

test('what must be accepted on a connection that the target has ended is not judged', async () => {
  const { stage } = stageOn({ answer: () => failure('reset') });
  const on = await stage.connect();
  await expect(stage.accepts('it', {}, { on })).rejects.toMatchObject({ verdict: 'not-applicable' });
  expect(stage.findings).toEqual([]);
});

test('an acceptance can name a cause of its own', async () => {
  const { stage } = stageOn(oddly(challenged('invalid_proof')));
  await stage.accepts('it', ODD, {}, 'a special mistake');
  await stage.accepts('it', ODD, {}, null);
  expect(stage.findings.map((finding) => finding.cause)).toEqual(['a special mistake', null]);
});

test('a statement that holds leaves nothing, one that does not is a finding', async () => {
  const { stage } = stageOn({}, 'warn');
  stage.holds(true, 'not seen');
  expect(stage.findings).toEqual([]);
  stage.holds(false, 'two are the same');
  stage.holds(false, 'without cause', null);
  expect(stage.findings).toMatchObject([
    { severity: 'warn', reason: 'two are the same', cause: CAUSE, attribution: 'target' },
    { severity: 'warn', reason: 'without cause', cause: null, attribution: 'target' },
  ]);
});

test('an observation is information about the specification, however grave the requirement', () => {
  const { stage } = stageOn();
  stage.observe('it does so');
  expect(stage.findings).toMatchObject([
    { severity: 'info', reason: 'it does so', cause: null, attribution: 'specification' },
  ]);
});

test('no finding tells an access token', async () => {
  const { stage } = stageOn();
  const { compact } = await stage.mint();
  stage.holds(false, `saw ${compact}`);
  stage.observe(`saw ${compact}`);
  expect(stage.findings).toHaveLength(2);
  for (const { reason } of stage.findings) expect(reason).toMatch(/^saw <token sha-256 [0-9a-f]{16}…>$/);
});

const story = { attacker: 'mallory', loot: 'a token' };
const failed = { attempt: 'replays it', outcome: 'refused', succeeded: false };
const succeeded = { attempt: 'sends it', outcome: 'served', succeeded: true };

test('an attack is judged by each attempt that succeeded', () => {
  const { stage } = stageOn();
  stage.attack({ ...story, attempts: [failed, succeeded, succeeded] });
  expect(stage.findings.map(({ severity, reason, cause }) => [severity, reason, cause])).toEqual([
    ['fail', 'sends it: served', CAUSE],
    ['fail', 'sends it: served', CAUSE],
  ]);
  expect(stage.evidence.close().attack).toEqual({
    ...story,
    attempts: [failed, succeeded, succeeded],
    outcome: 'The attack succeeded in 2 of 3 attempts.',
  });
});

test('an attack that failed is told and leaves no finding', () => {
  const { stage } = stageOn();
  stage.attack({ ...story, attempts: [failed] });
  expect(stage.findings).toEqual([]);
  expect(stage.evidence.close().attack?.outcome).toBe(
    'The attack failed: nothing of what was stolen was of use.',
  );
});
