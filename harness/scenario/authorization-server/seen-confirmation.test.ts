import { expect, test } from 'vitest';
import type { Outcome } from '../../wire/connection.ts';
import {
  authorizationServerStageOn,
  json,
  OPAQUE_TOKEN,
  refusal,
  registry,
} from './authorization-server-target.fixture.ts';
import { isSessionBound, seenConfirmation } from './seen-confirmation.ts';

const opaque = { compact: OPAQUE_TOKEN, header: null, claims: null };
const INTROSPECTING = { capabilities: new Set(['introspection']) };

test.each([
  ['its confirmation', { cnf: { tls_exp: 'label' } }, { tls_exp: 'label' }],
  ['that it has none', { sub: 'alice' }, {}],
])('a token that can be read tells %s itself', async (_what, claims, confirmation) => {
  const { stage, asked } = authorizationServerStageOn({ target: INTROSPECTING });
  expect(await seenConfirmation(stage, 'it', { compact: 'x', header: {}, claims })).toEqual(confirmation);
  expect(asked).toEqual([]);
});

test.each([
  ['its resource server', undefined, registry.audience, registry.identities.resource],
  [
    'the one for opaque tokens',
    registry.opaqueAudience,
    registry.opaqueAudience,
    registry.identities.resource,
  ],
  ['the next hop, for a token that is for it', registry.hop, registry.hop, registry.identities.hop],
])('an opaque token is introspected by %s', async (_what, resource, clientId, identity) => {
  const { stage, asked } = authorizationServerStageOn({
    target: INTROSPECTING,
    answer: () => json(200, { active: true, cnf: { 'x5t#S256': 'hash' } }),
  });
  expect(await seenConfirmation(stage, 'it', opaque, resource)).toEqual({ 'x5t#S256': 'hash' });
  expect(asked.map(({ path, form }) => [path, Object.fromEntries(form)])).toEqual([
    ['/introspect', { token: OPAQUE_TOKEN, client_id: clientId }],
  ]);
  expect(asked[0]?.connection.options.identity).toBe(identity);
  expect(stage.evidence.close().exchanges.at(-1)?.what).toBe('it, introspected');
});

test('an active token without confirmation confirms nothing', async () => {
  const { stage } = authorizationServerStageOn({
    target: INTROSPECTING,
    answer: () => json(200, { active: true }),
  });
  expect(await seenConfirmation(stage, 'it', opaque)).toEqual({});
});

test.each<[string, Outcome, string]>([
  ['inactive', json(200, { active: false, cnf: { tls_exp: 'label' } }), '200'],
  ['active in a way of its own', json(200, { active: 'true', cnf: {} }), '200'],
  ['unknown', refusal('invalid_client', 401), '401 invalid_client'],
])('what an opaque token that is %s is bound to is not known', async (_what, outcome, text) => {
  const { stage } = authorizationServerStageOn({ target: INTROSPECTING, answer: () => outcome });
  await expect(seenConfirmation(stage, 'it', opaque)).rejects.toMatchObject({
    verdict: 'inconclusive',
    attribution: 'target',
    message: `it is opaque, and introspection does not tell what it is bound to (${text})`,
  });
});

test('without introspection nothing can be said of an opaque token', async () => {
  const { stage, asked } = authorizationServerStageOn();
  await expect(seenConfirmation(stage, 'it', opaque)).rejects.toMatchObject({
    verdict: 'not-applicable',
    message:
      'its access tokens are opaque, and it claims no introspection: what they are bound to is not seen',
  });
  expect(asked).toEqual([]);
});

test('a token is session-bound by the member, whatever its value', () => {
  expect(isSessionBound({ tls_exp: null })).toBe(true);
  expect(isSessionBound({ 'x5t#S256': 'hash' })).toBe(false);
  expect(isSessionBound(Object.create({ tls_exp: 'inherited' }))).toBe(false);
});
