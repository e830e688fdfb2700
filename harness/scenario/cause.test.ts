import { describe, expect, test } from 'vitest';
import { causeTexts, explain } from './cause.ts';
import type { Cause } from './cause.ts';
import { ALWAYS } from './cause.fixture.ts';
import { refused, refusedExactly } from './expectation.ts';
import type { Deviation } from './record.ts';
import { otherwise, stageOn, wrongAth, wrongEkm, wrongType } from './stage.fixture.ts';
import { challenged, failure, response } from './target.fixture.ts';

const DEVIATIONS = Object.keys(ALWAYS) as readonly Deviation[];
const keyed = (deviation: Deviation): Cause => ({ [deviation]: `why ${deviation}` });

test.each(DEVIATIONS)('a cause that is keyed by %s explains that, and nothing else', (deviation) => {
  for (const other of DEVIATIONS)
    expect(explain(other, keyed(deviation))).toBe(other === deviation ? `why ${deviation}` : null);
});

test('a string explains an invalid request that is served and a statement that does not hold, or what its verb is about', () => {
  const explained = (plain?: readonly Deviation[]): readonly Deviation[] =>
    DEVIATIONS.filter((deviation) => explain(deviation, null, 'a mistake', plain) !== null);
  expect(explained()).toEqual(['served', 'statement']);
  expect(explained(['rejected'])).toEqual(['rejected']);
  expect(DEVIATIONS.filter((deviation) => explain(deviation, 'a mistake') !== null)).toEqual([
    'served',
    'statement',
  ]);
});

test('the cause of the attempt comes before the scenario’s, and null is none at all', () => {
  expect(explain('served', 'the scenario’s', 'its own')).toBe('its own');
  expect(explain('other-manner', keyed('other-manner'), 'its own')).toBe('why other-manner');
  expect(explain('served', 'the scenario’s')).toBe('the scenario’s');
  expect(explain('served', 'the scenario’s', null)).toBeNull();
  expect(explain('served', null)).toBeNull();
});

test('a reader of a scenario sees each of its causes once', () => {
  expect(causeTexts(null)).toEqual([]);
  expect(causeTexts('a mistake')).toEqual(['a mistake']);
  expect(causeTexts({ served: 'a', 'other-manner': 'b', ended: 'b' })).toEqual(['a', 'b']);
});

describe('what an attempt came to decides which cause is told', () => {
  const causes = {
    served: 'not compared',
    'other-manner': 'another code',
    'server-error': 'not caught',
    ended: 'cut off',
    rejected: 'compared with something else',
    statement: 'not so',
    attack: 'replayed',
  };

  test.each([
    ['served', response(200), causes.served],
    ['refused in another manner', response(403), causes['other-manner']],
    ['answered with a server error', response(500), causes['server-error']],
    ['ended', failure('reset', 'by the peer'), causes.ended],
  ])('an invalid request that is %s', async (_what, outcome, cause) => {
    for (const definition of [{ cause: causes }, { cause: 'not compared' }]) {
      const { stage } = stageOn(otherwise(outcome), 'fail', definition);
      await stage.refuses(refusedExactly('invalid_proof'), [wrongEkm]);
      const told = typeof definition.cause === 'string' && cause !== causes.served ? null : cause;
      expect(stage.findings.map((finding) => finding.cause)).toEqual([told]);
    }
  });

  test.each([
    ['rejected', challenged('invalid_proof'), 'rejected', causes.rejected],
    ['answered with a server error', response(503), 'server-error', causes['server-error']],
    ['ended', failure('reset', 'by the peer'), 'ended', causes.ended],
  ])('a valid request that is %s', async (_what, outcome, deviation, cause) => {
    const about = { judgesSequence: true };
    const { stage } = stageOn({ answer: () => outcome }, 'fail', { ...about, cause: causes });
    await stage.accepts('it');
    const plain = stageOn({ answer: () => outcome }, 'fail', { ...about, cause: 'not compared' }).stage;
    await plain.accepts('it');
    await plain.accepts('it', {}, {}, 'too strict');
    const found = [...stage.findings, ...plain.findings];
    expect(found.map((finding) => finding.deviation)).toEqual([deviation, deviation, deviation]);
    expect(found.map((finding) => finding.cause)).toEqual([
      cause,
      null,
      deviation === 'rejected' ? 'too strict' : null,
    ]);
  });

  test('a statement and an attack', () => {
    const { stage } = stageOn({}, 'fail', { cause: causes });
    const attempt = { attempt: 'it', outcome: 'served', succeeded: true };
    stage.holds(false, 'two are the same');
    stage.attack({
      attacker: 'a thief',
      loot: 'a token',
      attempts: [attempt, { ...attempt, cause: 'found by address' }, { ...attempt, succeeded: false }],
    });
    expect(stage.findings.map(({ cause }) => cause)).toEqual(['not so', 'replayed', 'found by address']);
    expect(stage.evidence.close().attack?.attempts).toEqual([
      attempt,
      attempt,
      { ...attempt, succeeded: false },
    ]);
  });

  test('a table that is served altogether has the scenario’s cause for that; refused otherwise, none', async () => {
    const table = [wrongEkm, wrongAth, wrongType].map((variation) => ({ ...variation, cause: 'this claim' }));
    const played = async (status: number): Promise<readonly (string | null)[]> => {
      const { stage } = stageOn(otherwise(response(status)), 'fail', { cause: 'no check at all' });
      await stage.refuses(status === 200 ? refused() : refusedExactly('invalid_proof'), table);
      return stage.findings.map(({ cause }) => cause);
    };
    expect(await played(200)).toEqual(Array(3).fill('no check at all'));
    expect(await played(403)).toEqual(Array(3).fill(null));
  });
});
