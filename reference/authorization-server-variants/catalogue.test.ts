import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  accessToken,
  AUDIENCE,
  type Foundation,
  layFoundation,
  OPAQUE_AUDIENCE,
  startAuthorizationServer,
} from '../authorization-server/authorization-server.fixture.ts';
import { type Behaviour, behaviourOf, differenceFrom } from '../authorization-server/behaviour.fixture.ts';
import { start as startReference } from '../authorization-server/target.ts';
import { EXPORTER_LABEL } from '../proof/vocabulary.ts';
import { VARIANTS } from './catalogue.ts';
import { start } from './target.ts';

let foundation: Foundation;
let reference: Behaviour;

beforeAll(async () => {
  foundation = await layFoundation();
  await using server = await startAuthorizationServer(startReference, foundation);
  reference = await behaviourOf(server);
});
afterAll(() => foundation[Symbol.asyncDispose]());

test('ids are unique', () => {
  const ids = VARIANTS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(VARIANTS)('$id differs, and binds tokens all the same', async ({ id, lacks = [] }) => {
  await using server = await startAuthorizationServer(
    (environment) => start(environment, { variant: id }),
    foundation,
  );
  expect(await differenceFrom(reference, server)).not.toEqual([]);
  const { alice, mallory } = server.identities;
  const bound = { 'x5t#S256': alice.thumbprint, tls_exp: EXPORTER_LABEL };
  for (const resource of [AUDIENCE, OPAQUE_AUDIENCE]) {
    const token = accessToken(await server.token('alice', alice, { resource }));
    expect((await server.introspect(token, resource)).body).toMatchObject({ active: true, cnf: bound });
    const plain = accessToken(await server.token('bearer', alice, { resource }));
    expect((await server.introspect(plain, resource)).body['cnf']).toBeUndefined();
    expect((await server.exchange('mallory', mallory, token)).status).toBe(400);
    const successor = await server.exchange('alice', alice, token);
    expect(successor.status).toBe(lacks.includes('token-exchange') ? 400 : 200);
    expect((await server.token('alice', undefined)).status).toBe(401);
  }
});
