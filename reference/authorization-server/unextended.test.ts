import { expect, test } from 'vitest';
import {
  accessToken,
  AUDIENCE,
  decoded,
  HOP,
  OPAQUE_AUDIENCE,
  startAuthorizationServer,
} from './authorization-server.fixture.ts';
import { start } from './unextended.ts';

test('without the extension there is RFC 8705, exchange and introspection, and no session binding', async () => {
  await using server = await startAuthorizationServer(start);
  const { alice, hop, mallory } = server.identities;
  const x5t = { 'x5t#S256': alice.thumbprint };
  for (const [clientId, confirmation] of [
    ['alice', undefined],
    ['both', x5t],
    ['certificate', x5t],
    ['bearer', undefined],
  ] as const) {
    for (const resource of [AUDIENCE, OPAQUE_AUDIENCE]) {
      const token = accessToken(await server.token(clientId, alice, { resource }));
      const { body } = await server.introspect(token, resource);
      expect([body['active'], body['cnf']]).toEqual([true, confirmation]);
    }
  }
  expect(decoded(accessToken(await server.token('both', alice))).claims['cnf']).toEqual(x5t);
  const subject = accessToken(await server.token('certificate', alice, { resource: HOP }));
  expect((await server.exchange(HOP, hop, subject)).status).toBe(200);
  expect((await server.exchange('certificate', alice, subject)).status).toBe(200);
  expect((await server.exchange('mallory', mallory, subject)).status).toBe(400);
  const { body } = await server.send('/.well-known/oauth-authorization-server', { method: 'GET' });
  expect(body['tls_session_bound_access_tokens']).toBeUndefined();
});
