import { expect, test } from 'vitest';
import { createPki } from '../../../certs/pki.ts';
import { createTokenIssuer } from '../../../certs/token-issuer.ts';
import type { CounterpartServer } from '../../counterpart/resource-server/contract.ts';
import { CORE } from '../permutation.ts';
import type { Requirement } from '../requirement.ts';
import { clientSuite } from './client-scenario.ts';
import type { Bench, BenchPlan, ClientSetting } from './client-setting.ts';
import { executeClient } from './execute-client.ts';

const [pki, issuer] = await Promise.all([createPki(), createTokenIssuer()]);

const requirement: Requirement = {
  id: 'CL-X-1',
  role: 'client',
  level: 'MUST',
  sections: '1',
  area: 'test',
  statement: 'A test.',
  ambiguities: [],
};

const nowhere = (): Promise<never> => Promise.reject(new Error('not in this test'));

/** Nobody comes to this resource server. */
const counterpart: CounterpartServer = {
  host: '127.0.0.1',
  port: 1,
  connections: [],
  requests: [],
  failedHandshakes: [],
  faults: [],
  opensslUnavailable: undefined,
  begin: async () => undefined,
  meet: () => undefined,
  answerWith: () => undefined,
  answerEarly: () => undefined,
  awaitRequest: async () => undefined,
  refuseConnections: nowhere,
  [Symbol.asyncDispose]: async () => undefined,
};

/** Gives out a client that was used before, unless one of its own is wanted. */
function settingWith(taken: BenchPlan[]): ClientSetting {
  return {
    target: { name: 'a-client', capabilities: new Set(['tls1.3', 'http/1.1']) },
    profile: 'core',
    strict: false,
    pki,
    issuer,
    dpopKey: null,
    upstreamName: 'localhost',
    stranger: nowhere,
    canary: nowhere,
    issue: nowhere,
    patienceMs: 1000,
    effort: 'full',
    bench: async (plan): Promise<Bench> => {
      taken.push(plan);
      return {
        counterpart,
        used: !plan.own,
        host: '127.0.0.1',
        port: 1,
        send: nowhere,
        rotate: nowhere,
        reachBeyondLoopback: nowhere,
        alive: () => true,
        log: () => [],
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

const [onUsed, always, harness] = clientSuite('test', [
  {
    id: 'CL-X-1.used',
    title: 'cannot be judged after others',
    run: async (stage) => {
      if (stage.onUsedClient) stage.inconclusive('what others left behind');
      stage.holds(false, 'it is broken');
    },
  },
  {
    id: 'CL-X-1.always',
    title: 'cannot be judged at all',
    run: async (stage) => stage.inconclusive('nothing came'),
  },
  {
    id: 'CL-X-1.harness',
    title: 'cannot be judged, which is no matter of the client',
    run: async (stage) => stage.inconclusive('no OpenSSL', 'environment'),
  },
]);

test.each([
  { scenario: onUsed, verdict: 'fail', reason: 'it is broken', owns: [false, true] },
  { scenario: always, verdict: 'inconclusive', reason: 'nothing came', owns: [false, true] },
  { scenario: harness, verdict: 'inconclusive', reason: 'no OpenSSL', owns: [false] },
])('$scenario.title', async ({ scenario, verdict, reason, owns }) => {
  if (scenario === undefined) throw new Error('no scenario');
  const taken: BenchPlan[] = [];
  const result = await executeClient(scenario, CORE, requirement, settingWith(taken));
  expect(result).toMatchObject({ verdict, reason });
  expect(taken.map(({ own }) => own)).toEqual(owns);
  const told = result.evidence.notes.filter((note) => note.startsWith('On a client that other'));
  expect(told).toHaveLength(owns.length - 1);
});
