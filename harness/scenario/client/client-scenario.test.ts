import { expect, test } from 'vitest';
import { clientSuite } from './client-scenario.ts';

const definition = { id: 'CL-X-1', title: 'does what it should', run: async () => {} };

test('a scenario of a suite file has what the file states, and defaults for the rest', () => {
  const [usual, special] = clientSuite('paper', [
    definition,
    { ...definition, id: 'CL-X-2', cause: 'a mistake', ownInstance: true, waits: true, timeLimitMs: 1 },
  ]);
  expect(usual).toEqual({
    ...definition,
    role: 'client',
    suite: 'paper',
    across: {},
    cause: null,
    waits: false,
    timeLimitMs: 30_000,
    proofClaims: 'connection',
    ownInstance: false,
    judgesEveryProof: false,
    capabilities: [],
  });
  expect(special).toMatchObject({
    id: 'CL-X-2',
    cause: 'a mistake',
    ownInstance: true,
    waits: true,
    timeLimitMs: 1,
  });
});

test('claims of the request are asked only of a client that can make them', () => {
  const [alone, beside, not] = clientSuite('paper', [
    { ...definition, proofClaims: 'request' },
    { ...definition, proofClaims: 'request', capabilities: ['h2'] },
    { ...definition, capabilities: ['h2'] },
  ]);
  expect(alone?.capabilities).toEqual(['per-request-claims']);
  expect(beside?.capabilities).toEqual(['h2', 'per-request-claims']);
  expect(not?.capabilities).toEqual(['h2']);
});
