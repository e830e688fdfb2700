import { describe, expect, test } from 'vitest';
import { failure, pki, response } from '../target.fixture.ts';
import type { Journey } from './client-play.ts';
import { provenOf } from './client-stage.ts';
import { CAUSE } from '../cause.fixture.ts';
import {
  arrived,
  deaf,
  onPaper,
  proving,
  scenarioOf,
  stageOn,
  unproven,
  valuesOf,
} from './client-under-test.fixture.ts';
import type { Client } from './client-under-test.fixture.ts';
import { ClientStage } from './client-stage.ts';
import { CORE } from '../permutation.ts';

const wrongType = proving({ header: { typ: 'JWT' } });
const twice = proving({}, (proof) => [
  ['Session-Binding-Proof', proof],
  ['session-binding-proof', proof],
]);
const unreachable: Client = async () => response(502);

describe('a control', () => {
  test('that comes with a right proof is returned, and recorded as one', async () => {
    const { stage, happened } = await stageOn();
    const { arrival, proof, token, outcome } = await stage.control(['typ', 'ath', 'ekm']);
    expect(arrival.request).toBe(happened.server.requests[0]);
    expect(valuesOf(arrival.request.fields, 'Session-Binding-Proof')).toEqual([proof]);
    expect(arrival.token).toBe(token);
    expect(outcome).toMatchObject({ status: 200 });
    expect(stage.findings).toEqual([]);
    expect(stage.evidence.close().exchanges).toMatchObject([
      {
        part: 'control',
        what: 'a request with a session-bound token',
        expected: 'served, with a right proof',
        observed: 'a right proof; the agent got 200',
      },
    ]);
  });

  test('can be another request under another name', async () => {
    const { stage } = await stageOn();
    const { arrival } = await stage.control([], 'an upload', { method: 'PUT', path: '/up' });
    expect(arrival.request).toMatchObject({ method: 'PUT', target: '/up' });
    expect(stage.evidence.close().exchanges).toMatchObject([{ what: 'an upload' }]);
  });

  test.each<[string, Client, string]>([
    [
      'gets lost',
      deaf,
      'did not reach the resource server (the agent got no response (timeout: nothing came))',
    ],
    ['is answered by the client', unreachable, 'did not reach the resource server (the agent got 502)'],
    ['has no proof', unproven, 'arrived without a Session-Binding-Proof field'],
    ['has two proofs', twice, 'arrived with 2 Session-Binding-Proof fields'],
  ])('that %s leaves nothing to be judged', async (_what, client, problem) => {
    const { stage } = await stageOn({ client });
    await expect(stage.control([], 'an upload')).rejects.toMatchObject({
      verdict: 'inconclusive',
      attribution: 'target',
      message: `the control "an upload" ${problem}; see CL-FLD-1`,
      likelyCause: null,
    });
    expect(stage.findings).toEqual([]);
  });

  test('whose proof is wrong where it counts leaves nothing to be judged', async () => {
    const { stage } = await stageOn({ client: wrongType });
    await expect(stage.control(['ath', 'typ'], 'an upload')).rejects.toMatchObject({
      verdict: 'inconclusive',
      attribution: 'target',
      message: 'the control "an upload" came with a proof that is not right to begin with: typ is "JWT"',
      likelyCause: null,
    });
    expect(stage.findings).toEqual([]);
  });

  test('whose proof is wrong in another respect serves all the same', async () => {
    const { stage } = await stageOn({ client: wrongType });
    expect((await stage.control()).arrival.defects).toMatchObject([{ aspect: 'typ' }]);
    expect((await stage.control(['ath', 'ekm'])).arrival.defects).toMatchObject([{ aspect: 'typ' }]);
    expect(stage.findings).toEqual([]);
  });
});

describe('a request that must be proven', () => {
  test('and is leaves no finding, and is recorded as the one under judgement', async () => {
    const { stage } = await stageOn();
    const proven = await stage.proves(['typ', 'ath', 'ekm', 'signature'], 'an upload', { method: 'PUT' });
    expect(proven?.arrival.request.method).toBe('PUT');
    expect(stage.findings).toEqual([]);
    expect(stage.evidence.close().exchanges).toMatchObject([
      { part: 'variant', what: 'an upload', expected: 'a right proof' },
    ]);
  });

  test.each<[string, Client, string]>([
    [
      'gets lost',
      deaf,
      'did not reach the resource server (the agent got no response (timeout: nothing came))',
    ],
    ['has no proof', unproven, 'arrived without a Session-Binding-Proof field'],
    ['has two proofs', twice, 'arrived with 2 Session-Binding-Proof fields'],
  ])('and %s is held against the client', async (_what, client, problem) => {
    const { stage } = await stageOn({ client });
    expect(await stage.proves(['typ'], 'an upload')).toBeUndefined();
    expect(stage.findings).toMatchObject([
      { severity: 'fail', reason: `an upload: the request ${problem}`, cause: CAUSE, attribution: 'target' },
    ]);
  });

  test('and has a wrong proof is held against the client where that counts, and returned', async () => {
    const { stage } = await stageOn({ client: wrongType }, { severity: 'warn' });
    const proven = await stage.proves(['ath', 'typ'], 'an upload', { method: 'PUT', path: '/up' });
    expect(proven?.arrival.defects).toHaveLength(1);
    expect(stage.findings).toMatchObject([
      {
        severity: 'warn',
        reason: 'PUT /up on c1: typ is "JWT"',
        cause: expect.stringContaining('Set typ to tls-binding-proof+jwt'),
        attribution: 'target',
      },
    ]);
    await stage.proves(['ath', 'ekm'], 'another');
    expect(stage.findings).toHaveLength(1);
  });

  test('is judged by all that arrived because of it, and by nothing that came before', async () => {
    const [wrong, right] = [wrongType, proving()];
    const both: Client = async (request, upstream) => {
      await wrong(request, upstream);
      return right(request, upstream);
    };
    const { stage } = await stageOn({ client: both });
    await stage.journey('something before');
    const proven = await stage.proves(['typ'], 'an upload', { path: '/up' });
    expect(proven?.arrival.defects).toEqual([]);
    expect(stage.findings.map(({ reason }) => reason)).toEqual(['GET /up on c1: typ is "JWT"']);
  });
});

test('all that arrived so far can be judged, and so can some of it', async () => {
  const { stage } = await stageOn({ client: proving({ header: { typ: 'JWT' }, claims: { jti: '' } }) });
  await stage.journey('one', { path: '/1' });
  const { arrivals } = await stage.journey('two', { path: '/2' });
  stage.sound(['typ'], arrivals);
  stage.sound(['jti', 'ath']);
  expect(stage.findings.map(({ reason }) => reason)).toEqual([
    'GET /2 on c1: typ is "JWT"',
    'GET /1 on c1: jti is ""',
    'GET /2 on c1: jti is ""',
  ]);
});

test('a defect without a known cure is told with the cause of the scenario', async () => {
  const { stage } = await stageOn();
  const { arrival } = await stage.control();
  stage.sound(['alg'], [{ ...arrival, defects: [{ aspect: 'alg', what: 'odd', cure: null }] }]);
  expect(stage.findings).toMatchObject([{ reason: 'GET /resource on c1: odd', cause: CAUSE }]);
});

test('a statement that holds leaves nothing, one that does not is a finding', async () => {
  const { stage } = await stageOn({}, { severity: 'warn' });
  stage.holds(true, 'not seen');
  expect(stage.findings).toEqual([]);
  stage.holds(false, 'two are the same');
  stage.holds(false, 'without cause', null);
  expect(stage.findings).toMatchObject([
    { severity: 'warn', reason: 'two are the same', cause: CAUSE, attribution: 'target' },
    { severity: 'warn', reason: 'without cause', cause: null, attribution: 'target' },
  ]);
});

test('an observation is information about the specification, however grave the requirement', async () => {
  const { stage } = await stageOn();
  stage.observe('it does so');
  expect(stage.findings).toMatchObject([
    { severity: 'info', reason: 'it does so', cause: null, attribution: 'specification' },
  ]);
});

test('an attack is told, and judged by each attempt that succeeded', async () => {
  const { stage } = await stageOn();
  const attempts = [
    { attempt: 'replays it', outcome: 'refused', succeeded: false },
    { attempt: 'sends it', outcome: 'served', succeeded: true },
  ];
  stage.attack({ attacker: 'mallory', loot: 'a proof', attempts });
  stage.attack({ attacker: 'mallory', loot: 'a proof', attempts }, 'a mistake of its own');
  expect(stage.findings.map(({ reason, cause }) => [reason, cause])).toEqual([
    ['sends it: served', CAUSE],
    ['sends it: served', 'a mistake of its own'],
  ]);
  expect(stage.evidence.close().attack).toMatchObject({ attacker: 'mallory', loot: 'a proof', attempts });
});

describe('two requests side by side', () => {
  test('are shown with their difference', async () => {
    const { stage } = await stageOn();
    const control = await stage.control();
    const variant = await stage.control([], 'an upload', { method: 'PUT' });
    stage.pair('PUT', control.arrival, variant.arrival, 'another proof', 'the same', 'fail');
    const { pairs } = stage.evidence.close();
    expect(pairs).toEqual([
      {
        what: 'PUT',
        control: 1,
        variant: 2,
        difference: expect.arrayContaining([{ field: 'request.method', control: 'GET', variant: 'PUT' }]),
        expected: 'another proof',
        observed: 'the same',
        verdict: 'fail',
      },
    ]);
  });

  test('are not compared where little effort is to be made', async () => {
    const { stage } = await stageOn({ setting: { effort: 'light' } });
    const control = await stage.control();
    const variant = await stage.control([], 'an upload', { method: 'PUT' });
    stage.pair('PUT', control.arrival, variant.arrival, 'e', 'o', 'pass');
    expect(stage.evidence.close().pairs).toMatchObject([{ control: 1, variant: 2, difference: [] }]);
  });

  test('are not shown where evidence does not tell both', async () => {
    const { stage } = await stageOn();
    const { arrival } = await stage.control();
    const untold = { ...arrival, request: arrived() };
    stage.pair('x', untold, arrival, 'e', 'o', 'pass');
    stage.pair('x', arrival, untold, 'e', 'o', 'pass');
    expect(stage.evidence.close().pairs).toEqual([]);
  });
});

describe('a client under test is wanted', () => {
  test('with the usual certificate of the key type, shared with other scenarios', async () => {
    const permutation = { ...CORE, key: 'RSA' } as const;
    const { stage, happened } = await stageOn({}, { permutation });
    expect(happened.wanted).toEqual([{ identity: pki.alice.RSA, proofClaims: 'connection', own: false }]);
    expect(stage.identity).toBe(pki.alice.RSA);
  });

  test('for itself where the scenario says so', async () => {
    const scenario = { ownInstance: true, proofClaims: 'request' } as const;
    const { happened } = await stageOn({}, { scenario });
    expect(happened.wanted).toMatchObject([{ proofClaims: 'request', own: true }]);
  });

  test('for itself where the scenario makes the certificate, out of the setting and the permutation', async () => {
    const seen: unknown[] = [];
    const { stage, happened, setting } = await stageOn(
      {},
      {
        scenario: {
          identity: async (...given) => {
            seen.push(...given);
            return pki.mallory;
          },
        },
      },
    );
    expect(seen).toEqual([setting, CORE]);
    expect(happened.wanted).toMatchObject([{ identity: pki.mallory, own: true }]);
    expect(stage.identity).toBe(pki.mallory);
  });

  test('and given back where the counterpart cannot begin', async () => {
    const begin = () => Promise.reject(new Error('no port'));
    const { setting, happened } = onPaper({ server: (server) => void Object.assign(server, { begin }) });
    await expect(ClientStage.open(setting, scenarioOf(), CORE, 'fail')).rejects.toThrow('no port');
    expect(happened.disposed).toBe(1);
  });

  test('and kept while the scenario is played', async () => {
    const { stage, happened } = await stageOn();
    await stage.control();
    expect(happened.disposed).toBe(0);
    await stage[Symbol.asyncDispose]();
    expect(happened.disposed).toBe(1);
  });
});

describe('of a journey, what is proven', () => {
  const journey: Journey = { what: 'it', token: null, outcome: failure('reset', 'gone'), arrivals: [] };
  const arrival = { request: arrived(), token: null, proofs: [], defects: [], proofSeenBefore: false };

  test('is its last arrival', () => {
    const last = { ...arrival, proofs: ['b'] };
    const arrivals = [{ ...arrival, proofs: ['a'] }, last];
    expect(provenOf({ ...journey, arrivals })).toEqual({ ...journey, arrivals, arrival: last, proof: 'b' });
  });

  test('is told in words where there is nothing', () => {
    expect(provenOf(journey)).toBe(
      'did not reach the resource server (the agent got no response (reset: gone))',
    );
    expect(provenOf({ ...journey, arrivals: [{ ...arrival, proofs: ['a'] }, arrival] })).toBe(
      'arrived without a Session-Binding-Proof field',
    );
    expect(provenOf({ ...journey, arrivals: [{ ...arrival, proofs: ['a', 'a', 'b'] }] })).toBe(
      'arrived with 3 Session-Binding-Proof fields',
    );
  });
});
