import { afterEach, expect, test, vi } from 'vitest';
import { createMemoryAdapter } from './memory-adapter.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('what is stored is found by kind and identifier until it expires, is destroyed or its grant is revoked', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  const views = createMemoryAdapter();
  const [tokens, clients] = [views('AccessToken'), views('Client')];
  await tokens.upsert('a', { grantId: 'g' }, 10);
  await tokens.upsert('b', { uid: 'u', userCode: 'c' }, 10);
  await clients.upsert('a', { scope: 'x' });
  expect(await tokens.find('a')).toEqual({ grantId: 'g' });
  expect(await clients.find('b')).toBeUndefined();
  expect([await tokens.findByUid('u'), await tokens.findByUserCode('c')]).toEqual([
    { uid: 'u', userCode: 'c' },
    { uid: 'u', userCode: 'c' },
  ]);
  await tokens.revokeByGrantId('g');
  expect(await tokens.find('a')).toBeUndefined();
  await tokens.consume('b');
  expect(await tokens.find('b')).toMatchObject({ consumed: 0 });
  vi.setSystemTime(10_000);
  expect(await tokens.find('b')).toBeUndefined();
  expect(await clients.find('a')).toEqual({ scope: 'x' });
  await clients.destroy('a');
  expect(await clients.find('a')).toBeUndefined();
});
