import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CORE } from '../permutation.ts';
import type { Permutation } from '../record.ts';
import type { Requirement } from '../requirement.ts';
import { pki } from '../target.fixture.ts';
import type { ClientScenarioDefinition } from './client-scenario.ts';
import { CAUSE } from '../cause.fixture.ts';
import { onPaper, proving, scenarioOf, unproven } from './client-under-test.fixture.ts';
import type { Paper } from './client-under-test.fixture.ts';
import { executeClient } from './execute-client.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const REQUIREMENT: Requirement = {
  id: 'CL-X-1',
  role: 'client',
  level: 'SHOULD',
  sections: '1',
  area: 'a',
  statement: 's',
  ambiguities: [],
};

interface Circumstances extends Paper {
  readonly permutation?: Permutation;
  readonly signal?: AbortSignal;
}

function executed(definition: Partial<ClientScenarioDefinition>, circumstances: Circumstances = {}) {
  const { setting, happened } = onPaper(circumstances);
  const { permutation = CORE, signal } = circumstances;
  return {
    ended: executeClient(scenarioOf(definition), permutation, REQUIREMENT, setting, signal),
    happened,
  };
}

const run: ClientScenarioDefinition['run'] = async (stage) => void (await stage.proves(['typ'], 'a request'));
const NOTHING = { connections: [], exchanges: [], pairs: [], notes: [] };

test('a record tells what was played on what client, and how it went', async () => {
  const { ended, happened } = executed({ id: 'CL-X-1.more', run });
  expect(await ended).toEqual({
    target: 'paper',
    scenario: 'CL-X-1.more',
    requirement: 'CL-X-1',
    level: 'SHOULD',
    suite: 'paper',
    title: 'does what it should',
    permutation: CORE,
    verdict: 'pass',
    attribution: null,
    reason: null,
    cause: null,
    durationMs: expect.any(Number),
    evidence: {
      connections: [expect.objectContaining({ id: 'c1' })],
      exchanges: [expect.objectContaining({ part: 'variant', what: 'a request' })],
      pairs: [],
      notes: [],
    },
    proofs: { examined: 1, wellFormed: { 'x5t#S256': 1, ath: 1, ekm: 1 }, malformed: [] },
  });
  expect(happened.disposed).toBe(1);
});

test('what is found is graded by the requirement, and by the strict profile', async () => {
  const client = unproven;
  expect(await executed({ run }, { client }).ended).toMatchObject({
    verdict: 'warn',
    attribution: 'target',
    reason: 'a request: the request arrived without a Session-Binding-Proof field',
    cause: CAUSE,
  });
  expect(await executed({ run }, { client, setting: { strict: true } }).ended).toMatchObject({
    verdict: 'fail',
  });
});

test('a client that does not claim what is needed is not started', async () => {
  const { ended, happened } = executed(
    { run, proofClaims: 'request' },
    { permutation: { ...CORE, http: 'h2' } },
  );
  expect(await ended).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    reason: 'the target does not claim per-request-claims, h2',
    evidence: NOTHING,
  });
  expect(happened.wanted).toEqual([]);
});

describe('a client that cannot be started', () => {
  class TargetProblem extends Error {
    override readonly name = 'TargetProblem';
  }
  const failing = (problem: unknown): Paper => ({ setting: { bench: () => Promise.reject(problem) } });

  test('leaves nothing to be judged', async () => {
    const { ended } = executed({ run }, failing(new TargetProblem('it exits with 1')));
    expect(await ended).toMatchObject({
      verdict: 'inconclusive',
      attribution: 'target',
      reason: 'the client could not be started: it exits with 1',
      evidence: NOTHING,
    });
  });

  test('with a key that it need not support is not judged by it', async () => {
    const permutation = { ...CORE, key: 'Ed25519' } as const;
    const { ended } = executed({ run }, { permutation, ...failing(new TargetProblem('it exits with 1')) });
    expect(await ended).toMatchObject({
      verdict: 'not-applicable',
      attribution: 'target',
      reason: 'the client could not be started with a Ed25519 key: it exits with 1',
    });
  });

  test.each<[string, unknown, string]>([
    ['another error', new Error('a bug'), 'a bug'],
    ['no error at all', { name: 'TargetProblem', message: 'a bug' }, '[object Object]'],
  ])('because of %s is a matter of the harness', async (_what, problem, text) => {
    const permutation = { ...CORE, key: 'RSA' } as const;
    const result = await executed({ run }, { permutation, ...failing(problem) }).ended;
    expect(result).toMatchObject({ verdict: 'inconclusive', attribution: 'harness' });
    expect(result.reason).toContain(`the harness failed: `);
    expect(result.reason).toContain(text);
  });

  test('because the scenario cannot make its certificate is a matter of the harness too', async () => {
    const identity = () => Promise.reject(new Error('no authority'));
    const { ended, happened } = executed({ run, identity });
    expect(await ended).toMatchObject({ verdict: 'inconclusive', attribution: 'harness' });
    expect(happened.wanted).toEqual([]);
  });
});

describe('a client that does not come', () => {
  const waiting = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const paper = onPaper();
    const bench: (typeof paper.setting)['bench'] = async (plan) => {
      await promise;
      return paper.setting.bench(plan);
    };
    return { comes: resolve, fails: reject, happened: paper.happened, setting: { bench } };
  };

  test('is waited for a minute, and given back should it come after all', async () => {
    const { comes, happened, setting } = waiting();
    const { ended } = executed({ run }, { setting });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await ended).toMatchObject({
      verdict: 'inconclusive',
      attribution: 'target',
      reason: 'not finished within 60 s',
      evidence: NOTHING,
    });
    expect(happened.disposed).toBe(0);
    comes();
    await vi.waitFor(() => expect(happened.disposed).toBe(1));
    expect(happened.wanted).toHaveLength(1);
  });

  test('is still good just before that', async () => {
    const { comes, setting } = waiting();
    const { ended } = executed({ run }, { setting });
    await vi.advanceTimersByTimeAsync(59_999);
    comes();
    expect(await ended).toMatchObject({ verdict: 'pass' });
  });

  test('and fails later on is no matter of anybody', async () => {
    const { fails, setting } = waiting();
    const { ended } = executed({ run }, { setting });
    await vi.advanceTimersByTimeAsync(60_000);
    await ended;
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    fails(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test('is not waited for when the run is interrupted', async () => {
    const abort = new AbortController();
    const { ended } = executed({ run }, { setting: waiting().setting, signal: abort.signal });
    abort.abort();
    expect(await ended).toMatchObject({
      verdict: 'inconclusive',
      attribution: 'environment',
      reason: 'the run was interrupted',
    });
  });
});

test('a scenario has its own time, and what it found until then is kept', async () => {
  const { ended, happened } = executed({
    ownInstance: true,
    timeLimitMs: 2000,
    run: async (stage) => {
      await stage.control();
      await new Promise(() => {});
    },
  });
  await vi.advanceTimersByTimeAsync(2000);
  expect(await ended).toMatchObject({
    verdict: 'inconclusive',
    reason: 'not finished within 2 s',
    evidence: { exchanges: [{ part: 'control' }] },
  });
  expect(happened.disposed).toBe(1);
});

test('a scenario is interrupted with the run', async () => {
  const abort = new AbortController();
  const { ended, happened } = executed(
    { run: async () => new Promise(() => abort.abort()) },
    { signal: abort.signal },
  );
  expect(await ended).toMatchObject({ attribution: 'environment', reason: 'the run was interrupted' });
  expect(happened.disposed).toBe(1);
});

describe('what cannot be judged on a client that others had before', () => {
  const used: ClientScenarioDefinition['run'] = async (stage) => {
    await stage.journey('a request', { path: stage.onUsedClient ? '/used' : '/own' });
    stage.note('a remark');
    if (stage.onUsedClient) stage.inconclusive('what others left behind');
  };

  test('is played once more on one of its own, whose evidence counts', async () => {
    const { ended, happened } = executed({ run: used }, { client: proving() });
    const result = await ended;
    expect(result).toMatchObject({ verdict: 'pass', reason: null });
    expect(result.evidence.exchanges.at(-1)?.request.target).toBe('/own');
    expect(result.evidence.notes).toEqual([
      'a remark',
      'On a client that other scenarios had before: what others left behind',
    ]);
    expect(happened.wanted).toEqual([
      { identity: pki.alice['P-256'], proofClaims: 'connection', own: false },
      { identity: pki.alice['P-256'], proofClaims: 'connection', own: true },
    ]);
    expect(happened.disposed).toBe(2);
  });

  test('stays so where it does not apply to one of its own', async () => {
    const { ended, happened } = executed({
      run: async (stage) => {
        if (stage.onUsedClient) stage.inconclusive('what others left behind');
        stage.notApplicable('it cannot');
      },
    });
    expect(await ended).toMatchObject({
      verdict: 'inconclusive',
      reason: 'what others left behind',
      evidence: { notes: [] },
    });
    expect(happened.wanted).toHaveLength(2);
  });

  test('is not played again when the run was interrupted meanwhile', async () => {
    const abort = new AbortController();
    const { ended, happened } = executed(
      {
        run: async (stage) => {
          const end = () => stage.inconclusive('what others left behind');
          queueMicrotask(() => queueMicrotask(() => abort.abort()));
          end();
        },
      },
      { signal: abort.signal },
    );
    expect(await ended).toMatchObject({ reason: 'what others left behind' });
    expect(happened.wanted).toHaveLength(1);
  });

  test.each<[string, Partial<ClientScenarioDefinition>, string]>([
    ['what is broken', { run: async (stage) => stage.holds(false, 'broken') }, 'warn'],
    ['what does not apply', { run: async (stage) => stage.notApplicable('no') }, 'not-applicable'],
    ['what is right', { run }, 'pass'],
    [
      'what could not be judged on one of its own',
      { run: async (stage) => stage.inconclusive('nothing'), ownInstance: true },
      'inconclusive',
    ],
  ])('is another matter than %s', async (_what, definition, verdict) => {
    const { ended, happened } = executed(definition);
    expect((await ended).verdict).toBe(verdict);
    expect(happened.wanted).toHaveLength(1);
    expect((await ended).evidence.notes).toEqual([]);
  });
});
