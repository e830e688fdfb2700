import { expect, test } from 'vitest';
import type { Outcome } from '../../wire/connection.ts';
import { CORE } from '../permutation.ts';
import type { Permutation } from '../record.ts';
import type { Requirement } from '../requirement.ts';
import { response } from '../target.fixture.ts';
import { authorizationServerSuite } from './authorization-server-scenario.ts';
import type { AuthorizationServerScenarioDefinition } from './authorization-server-scenario.ts';
import { CAUSE } from '../cause.fixture.ts';
import { refusal, scenarioOf, serverOnPaper } from './authorization-server-target.fixture.ts';
import type { ServerPaper } from './authorization-server-target.fixture.ts';
import { executeAuthorizationServer } from './execute-authorization-server.ts';

const REQUIREMENT: Requirement = {
  id: 'AS-X-1',
  role: 'authorization-server',
  level: 'SHOULD',
  sections: '1',
  area: 'a',
  statement: 's',
  ambiguities: [],
};

interface Circumstances extends ServerPaper {
  readonly permutation?: Permutation;
  readonly signal?: AbortSignal;
}

function executed(
  definition: Partial<AuthorizationServerScenarioDefinition>,
  { permutation = CORE, signal, ...paper }: Circumstances = {},
) {
  const { setting, opened } = serverOnPaper(paper);
  const ended = executeAuthorizationServer(scenarioOf(definition), permutation, REQUIREMENT, setting, signal);
  return { ended, opened };
}

const run: AuthorizationServerScenarioDefinition['run'] = async (stage) =>
  stage.refuses('a token without a certificate', await stage.requestToken('it', {}, { by: null }));

const refusing = (): Outcome => refusal('invalid_client', 401);
const careless = (): Outcome => response(200);

test('a record tells what was played on what, and how it went', async () => {
  const { ended, opened } = executed({ run }, { answer: refusing });
  expect(await ended).toEqual({
    target: 'paper',
    scenario: 'AS-X-1.more',
    requirement: 'AS-X-1',
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
      connections: [expect.objectContaining({ id: 'c1' }), expect.objectContaining({ id: 'c2' })],
      exchanges: [
        expect.objectContaining({ what: 'the metadata' }),
        expect.objectContaining({ what: 'it', observed: '401 invalid_client' }),
      ],
      pairs: [],
      notes: [],
    },
  });
  expect(opened.map(({ disposed }) => disposed)).toEqual([true, true]);
});

test('what is found is graded by the requirement, and by the strict profile', async () => {
  expect(await executed({ run }, { answer: careless }).ended).toMatchObject({
    verdict: 'warn',
    attribution: 'target',
    reason: 'a token without a certificate: answered 200, must be refused',
    cause: CAUSE,
  });
  const strict = executed({ run }, { answer: careless, setting: { strict: true } });
  expect((await strict.ended).verdict).toBe('fail');
});

test('the permutation’s transport is the one that is used', async () => {
  const permutation: Permutation = { ...CORE, tls: 'TLSv1.2', http: 'h2' };
  const { ended, opened } = executed({ run }, { answer: refusing, permutation });
  expect((await ended).permutation).toEqual(permutation);
  for (const { options } of opened) expect([options.tls, options.http]).toEqual(['TLSv1.2', 'h2']);
});

test('a target that does not claim what a scenario needs is not asked', async () => {
  const { ended, opened } = executed({ run, capabilities: ['token-exchange'] });
  expect(await ended).toMatchObject({
    verdict: 'not-applicable',
    attribution: 'target',
    reason: 'the target does not claim token-exchange',
    evidence: { connections: [], exchanges: [], pairs: [], notes: [] },
  });
  expect(opened).toEqual([]);
});

test('why a scenario ended early is its verdict, and whatever it leaves is evidence', async () => {
  const { ended, opened } = executed(
    { run: async (stage) => void (await stage.token()) },
    { answer: refusing },
  );
  const record = await ended;
  expect(record).toMatchObject({
    verdict: 'inconclusive',
    reason: 'a session-bound token: no token was issued to tsbt-bound (401 invalid_client)',
    cause: null,
  });
  expect(record.evidence.exchanges).toHaveLength(2);
  expect(opened.every(({ disposed }) => disposed)).toBe(true);
});

test('a fault of the harness becomes a verdict too, and so does an interrupted run', async () => {
  const broken = async (): Promise<void> => {
    throw new Error('a bug');
  };
  expect(await executed({ run: broken }).ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'harness',
  });
  const signal = AbortSignal.abort();
  expect(await executed({ run: () => new Promise(() => {}) }, { signal }).ended).toMatchObject({
    verdict: 'inconclusive',
    attribution: 'environment',
    reason: 'the run was interrupted',
  });
});

test('a suite’s scenarios have its name and role, and defaults for what they do not say', () => {
  const scenario = { id: 'AS-X-1', title: 'does it', run: async () => {} };
  const further = {
    across: { tls: ['TLSv1.2'] },
    capabilities: ['introspection'],
    cause: CAUSE,
    waits: true,
    timeLimitMs: 1,
  } as const;
  expect(authorizationServerSuite('as-x', [scenario, { ...scenario, ...further }])).toEqual([
    {
      ...scenario,
      role: 'authorization-server',
      suite: 'as-x',
      across: {},
      capabilities: [],
      cause: null,
      waits: false,
      timeLimitMs: 30_000,
    },
    { ...scenario, ...further, role: 'authorization-server', suite: 'as-x' },
  ]);
});

const TOKEN = response(200, [['Content-Type', 'application/json']], '{"access_token":"one-for-everybody"}');
const granted: AuthorizationServerScenarioDefinition['run'] = async (stage) => void (await stage.token());

test('a pass on a target that issues a token to everybody is none, unless the scenario saw a refusal', async () => {
  const record = await executed({ run: granted }, { answer: () => TOKEN }).ended;
  expect(record).toMatchObject({ verdict: 'inconclusive', attribution: 'target' });
  expect(record.reason).toMatch(/also issues a token to an unknown client/);
  const known: ServerPaper['answer'] = ({ request }) =>
    request.body?.toString().includes('tsbt-nobody') ? refusing() : TOKEN;
  expect(await executed({ run: granted }, { answer: known }).ended).toMatchObject({ verdict: 'pass' });
});
