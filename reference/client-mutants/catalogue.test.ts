import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSidecar } from '../sidecar/sidecar.fixture.ts';
import { type Bench, startBench } from '../test-bench/bench.ts';
import { MUTANTS } from './catalogue.ts';
import { start } from './target.ts';

let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

test('ids are unique, and each mutant breaks requirements of the client', () => {
  const ids = MUTANTS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { breaks } of MUTANTS) {
    expect(breaks.length).toBeGreaterThan(0);
    expect(breaks.filter((id) => !/^CL-[A-Z]+-\d+$/.test(id))).toEqual([]);
  }
});

test.each(MUTANTS.map(({ id }) => id))('%s starts, and answers what it is sent', async (id) => {
  await using sidecar = await startSidecar(bench, (environment) => start(environment, { variant: id }));
  const fields = ['Authorization', `Bearer ${await bench.mint()}`];
  const { status } = await sidecar.send({ fields });
  expect([200, 401]).toContain(status);
});
