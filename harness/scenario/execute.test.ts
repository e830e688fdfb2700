import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { execute } from './execute.ts';
import { refused } from './expectation.ts';
import { CORE } from './permutation.ts';
import { Preparations } from './preparation.ts';
import type { Permutation } from './record.ts';
import type { Requirement } from './requirement.ts';
import { suite } from './scenario.ts';
import type { ScenarioDefinition } from './scenario.ts';
import { challenged, correct, failure, onPaper, response } from './target.fixture.ts';
import type { Answer, Paper } from './target.fixture.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const REQUIREMENT: Requirement = {
  id: 'RS-X-1',
  role: 'resource-server',
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

function executed(definition: Partial<ScenarioDefinition>, circumstances: Circumstances = {}) {
  const { setting, opened } = onPaper(circumstances);
  const [scenario] = suite('resource-server', 'paper', [
    { id: 'RS-X-1.more', title: 'does what it should', run: async () => {}, ...definition },
  ]);
  if (scenario === undefined) throw new Error('one definition makes one scenario');
  const { permutation = CORE, signal } = circumstances;
  const preparations = new Preparations(setting);
  const ended = execute(scenario, permutation, REQUIREMENT, setting, preparations, signal);
  return { ended, opened, setting };
}

const run: ScenarioDefinition['run'] = (stage) =>
  stage.refuses(refused('invalid_proof'), [
    { what: 'ekm of nothing', change: { proof: { claims: { ekm: 'wrong' } } } },
  ]);

test('a record tells what was played on what, and how it went', async () => {
  const { ended, opened } = executed({ run });
  expect(await ended).toEqual({
    target: 'paper',
    scenario: 'RS-X-1.more',
    requirement: 'RS-X-1',
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
      exchanges: Array(4).fill(expect.anything()),
      pairs: [expect.objectContaining({ verdict: 'pass' })],
      notes: [],
    },
  });
  expect(opened.every(({ disposed }) => disposed)).toBe(true);
});

test('what is found is graded by the requirement, and by the strict profile', async () => {
  const careless: Answer = () => response(200);
  const cause = 'the usual mistake';
  expect(await executed({ run, cause }, { answer: careless }).ended).toMatchObject({
    verdict: 'warn',
    attribution: 'target',
    reason: 'ekm of nothing: served (200), must be refused with 401 invalid_proof',
    cause: expect.stringMatching(/^Proofs are ignored altogether/),
  });
  expect(await executed({ run }, { answer: careless, setting: { strict: true } }).ended).toMatchObject({
    verdict: 'fail',
  });
});

test('the time that a scenario took is told in milliseconds, to the hundredth', async () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
  const { ended } = executed({ run: async () => void now.mockReturnValue(1250.126) });
  expect((await ended).durationMs).toBe(250.13);
  now.mockRestore();
});

test.each<[string, Partial<ScenarioDefinition>, Permutation, string]>([
  ['a capability', { capabilities: ['introspection'] }, CORE, 'introspection'],
  ['TLS 1.2', {}, { ...CORE, tls: 'TLSv1.2' }, 'tls1.2'],
  ['HTTP/2', {}, { ...CORE, http: 'h2' }, 'h2'],
  ['several', { capabilities: ['a', 'b'] }, { ...CORE, http: 'h2' }, 'a, b, h2'],
])('a target that does not claim %s is not asked', async (_what, definition, permutation, missing) => {
  const target = { capabilities: new Set(['tls1.3', 'http/1.1']) };
  const { ended, opened } = executed(definition, { permutation, target });
  expect(await ended).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    reason: `the target does not claim ${missing}`,
    evidence: { connections: [], exchanges: [], pairs: [], notes: [] },
  });
  expect(opened).toEqual([]);
});

test('a target that claims what is needed is asked', async () => {
  const target = { capabilities: new Set(['tls1.2', 'h2', 'introspection']) };
  const permutation: Permutation = { ...CORE, tls: 'TLSv1.2', http: 'h2' };
  const { ended } = executed({ capabilities: ['introspection'] }, { permutation, target });
  expect((await ended).verdict).toBe('pass');
  const { ended: other } = executed({}, { target });
  expect((await other).reason).toBe('the target does not claim tls1.3, http/1.1');
});

const unserved: Answer = () => challenged('invalid_token');

test('where the right request is not served, a scenario that needs it cannot be judged', async () => {
  let played = false;
  const { ended } = executed({ run: async () => void (played = true) }, { answer: unserved });
  expect(await ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    reason: expect.stringContaining('the right request is not served (401 invalid_token)'),
    evidence: { connections: [], exchanges: [], pairs: [], notes: [] },
  });
  expect(played).toBe(false);
});

const accepts: Partial<ScenarioDefinition> = {
  judgesControl: true,
  run: async (stage) => void (await stage.accepts('the right request')),
  cause: { served: 'another mistake', rejected: 'the usual mistake' },
};

test('a scenario that judges the right request itself is played, with the diagnosis as its cause', async () => {
  const hexadecimal: Answer = ({ claims, connection }) =>
    claims['ekm'] === connection.exporter().toString('hex') ? response(200) : challenged('invalid_proof');
  expect(await executed(accepts, { answer: hexadecimal }).ended).toMatchObject({
    verdict: 'warn',
    reason: 'the right request: must be served, was answered 401 invalid_proof',
    cause: expect.stringContaining('hexadecimal'),
  });
  expect(await executed(accepts, { answer: unserved }).ended).toMatchObject({
    verdict: 'warn',
    cause: 'the usual mistake',
  });
});

test('where a permutation does not apply, not even the right request is judged', async () => {
  const permutation: Permutation = { ...CORE, key: 'RSA' };
  expect(await executed(accepts, { answer: unserved, permutation }).ended).toMatchObject({
    verdict: 'not-applicable',
    reason: expect.stringContaining('takes no JWS algorithm for RSA keys'),
  });
});

const closing: Answer = (seen) => {
  seen.connection.open = false;
  return correct(seen);
};

test('what needs a connection that stays open is not tried on a target that keeps none', async () => {
  const { ended } = executed({ needs: ['persistent-connection'] }, { answer: closing });
  expect(await ended).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    reason: 'the target ends each connection after one response, so there is no second request to judge',
    evidence: { exchanges: [] },
  });
  expect(await executed({ needs: ['resumption'] }, { answer: closing }).ended).toMatchObject({
    verdict: 'pass',
  });
  expect(await executed({ needs: ['persistent-connection'] }).ended).toMatchObject({ verdict: 'pass' });
});

test('a scenario that breaks is the harness’s fault, and its evidence is kept', async () => {
  const { ended, opened } = executed({
    run: async (stage) => {
      await stage.control();
      throw new Error('a bug');
    },
  });
  expect(await ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'harness',
    reason: expect.stringMatching(/^the harness failed: Error: a bug/),
    evidence: { exchanges: [expect.objectContaining({ part: 'control' })] },
  });
  expect(opened.at(-1)?.disposed).toBe(true);
});

test('connections that cannot be closed are the harness’s fault too, unless something else was before', async () => {
  const breaking: ScenarioDefinition['run'] = async (stage) => {
    (await stage.connect())[Symbol.asyncDispose] = () => Promise.reject(new Error('stuck'));
  };
  expect(await executed({ run: breaking }).ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'harness',
    reason: expect.stringContaining('stuck'),
  });
  const before: ScenarioDefinition['run'] = async (stage) => {
    await breaking(stage);
    stage.inconclusive('an earlier reason');
  };
  expect(await executed({ run: before }).ended).toMatchObject({ reason: 'an earlier reason' });
});

test('a scenario that takes too long is ended', async () => {
  const { ended } = executed({ run: () => new Promise(() => {}), timeLimitMs: 1500 });
  await vi.advanceTimersByTimeAsync(1499);
  const late = vi.fn<() => void>();
  void ended.then(late);
  expect(late).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(await ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    reason: 'not finished within 1.5 s',
  });
});

test('what a scenario finds after its time, when the suite ends its connections, is not held against the target', async () => {
  const { ended, opened } = executed({
    timeLimitMs: 1500,
    run: async (stage) => {
      const connection = await stage.connect();
      const { promise: closed, resolve } = Promise.withResolvers<void>();
      const dispose = connection[Symbol.asyncDispose].bind(connection);
      connection[Symbol.asyncDispose] = async () => {
        resolve();
        await dispose();
      };
      await closed;
      stage.holds(false, 'the connection has ended');
      await stage.connect();
    },
  });
  await vi.advanceTimersByTimeAsync(1500);
  expect(await ended).toMatchObject({ verdict: 'inconclusive', reason: 'not finished within 1.5 s' });
  expect(opened.every(({ disposed }) => disposed)).toBe(true);
});

test('a preparation that takes too long is ended after half a minute', async () => {
  const { ended } = executed({}, { answer: () => new Promise(() => {}) });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(await ended).toMatchObject({ verdict: 'inconclusive', reason: 'not finished within 30 s' });
});

test('a bound that was not needed does not linger', async () => {
  await executed({ run }).ended;
  expect(vi.getTimerCount()).toBe(0);
});

test('a run that is interrupted ends its scenarios, those that have not begun too', async () => {
  const interrupted = {
    verdict: 'inconclusive',
    attribution: 'environment',
    reason: 'the run was interrupted',
  };
  const abort = new AbortController();
  const { ended } = executed(
    {
      run: () => {
        abort.abort();
        return new Promise(() => {});
      },
    },
    { signal: abort.signal },
  );
  expect(await ended).toMatchObject(interrupted);
  expect(await executed({ run }, { signal: abort.signal }).ended).toMatchObject(interrupted);
});

test('a run that goes on forgets the scenarios that have ended', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  expect(await executed({ run }, { signal }).ended).toMatchObject({ verdict: 'pass' });
  expect(added.mock.calls.length).toBeGreaterThan(0);
  expect(removed.mock.calls.map(([type, listener]) => [type, listener])).toEqual(
    added.mock.calls.map(([type, listener]) => [type, listener]),
  );
});

test('a target that is not there is a matter of the environment', async () => {
  expect(await executed({ run }, { bars: () => failure('refused') }).ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'environment',
  });
});

const accepting: ScenarioDefinition['run'] = async (stage) => void (await stage.accepts('the valid request'));

const ANYTHING = expect.stringMatching(/also serves a request with neither a valid token nor a valid proof/);
const unlessPost: Answer = ({ request }) => response(request.method === 'POST' ? 401 : 200);

test.each<[string, Answer, ScenarioDefinition['run'], object]>([
  ['everything', () => response(200), accepting, { verdict: 'inconclusive', reason: ANYTHING }],
  [
    'nearly everything, where the scenario saw a refusal',
    unlessPost,
    async (stage) => void (await stage.send('a POST', { method: 'POST' })),
    { verdict: 'pass' },
  ],
  ['only what is valid', correct, accepting, { verdict: 'pass' }],
])('a pass on a target that serves %s', async (_what, answer, play, expected) => {
  expect(await executed({ run: play }, { answer }).ended).toMatchObject(expected);
});

test('a scenario that sends nothing is none of that', async () => {
  expect(await executed({}, { answer: () => response(200) }).ended).toMatchObject({ verdict: 'pass' });
});
