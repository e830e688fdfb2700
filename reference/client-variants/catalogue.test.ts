import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSidecar } from '../sidecar/sidecar.fixture.ts';
import { type Bench, startBench } from '../test-bench/bench.ts';
import { VARIANTS } from './catalogue.ts';
import { start } from './target.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

test('ids are unique', () => {
  const ids = VARIANTS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(VARIANTS.map(({ id }) => id))('%s is served by the reference resource server', async (id) => {
  for (const claims of ['connection', 'request']) {
    await using sidecar = await startSidecar(
      bench,
      (environment) => start(environment, { variant: id }),
      {},
      {
        TSBT_PROOF_CLAIMS: claims,
      },
    );
    const fields = ['Authorization', `Bearer ${await bench.mint()}`];
    for (const path of ['/resource', '/resource/a?b']) {
      expect(await sidecar.send({ fields, path })).toMatchObject({ status: 200 });
    }
    expect(await sidecar.send({ fields, method: 'POST', body: 'x' })).toMatchObject({ status: 200 });
  }
});
