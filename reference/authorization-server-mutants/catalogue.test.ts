import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Foundation,
  layFoundation,
  startAuthorizationServer,
} from '../authorization-server/authorization-server.fixture.ts';
import { type Behaviour, behaviourOf, differenceFrom } from '../authorization-server/behaviour.fixture.ts';
import { start as startReference } from '../authorization-server/target.ts';
import { MUTANTS } from './catalogue.ts';
import { successorsOf } from './successors.fixture.ts';
import { start } from './target.ts';

let foundation: Foundation;
let reference: Behaviour;
let successors: Behaviour;

beforeAll(async () => {
  foundation = await layFoundation();
  await using server = await startAuthorizationServer(startReference, foundation);
  reference = await behaviourOf(server);
  successors = await successorsOf(server);
});
afterAll(() => foundation[Symbol.asyncDispose]());

test('ids are unique, and each mutant breaks requirements of the authorization server', () => {
  const ids = MUTANTS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { breaks } of MUTANTS) {
    expect(breaks.length).toBeGreaterThan(0);
    expect(breaks.filter((id) => !/^AS-[A-Z]+\d?-\d+$/.test(id))).toEqual([]);
  }
});

test('the reference does the same twice', async () => {
  await using server = await startAuthorizationServer(startReference, foundation);
  expect(await differenceFrom(reference, server)).toEqual([]);
  expect(await successorsOf(server)).toEqual(successors);
});

test.each(MUTANTS.map(({ id }) => id))('%s shows its mistake', async (id) => {
  await using server = await startAuthorizationServer(
    (environment) => start(environment, { variant: id }),
    foundation,
  );
  const different = await differenceFrom(reference, server);
  const shown = different.length > 0 || !isDeepStrictEqual(await successorsOf(server), successors);
  expect(shown).toBe(true);
});
