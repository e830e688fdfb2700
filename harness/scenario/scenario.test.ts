import { expect, test } from 'vitest';
import { suite } from './scenario.ts';

const run = async (): Promise<void> => {};

test('what a scenario’s file does not state has the usual values', () => {
  expect(suite('resource-server', 'token-hash', [{ id: 'RS-X-1', title: 'does it', run }])).toEqual([
    {
      id: 'RS-X-1',
      title: 'does it',
      run,
      role: 'resource-server',
      suite: 'token-hash',
      across: {},
      capabilities: [],
      needs: [],
      judgesControl: false,
      judgesSequence: false,
      cause: null,
      waits: false,
      timeLimitMs: 30_000,
    },
  ]);
});

test('what it does state counts', () => {
  const stated = {
    id: 'RS-X-2',
    title: 'does it',
    run,
    across: { tls: ['TLSv1.2'] },
    capabilities: ['introspection'],
    needs: ['resumption'],
    judgesControl: true,
    judgesSequence: true,
    cause: 'a mistake',
    waits: true,
    timeLimitMs: 1,
  } as const;
  expect(suite('resource-server', 's', [stated])).toEqual([
    { ...stated, role: 'resource-server', suite: 's' },
  ]);
});
