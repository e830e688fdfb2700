import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { credentials, startBench } from '../test-bench/bench.ts';
import {
  accessToken,
  ISSUER,
  SECRET,
  startAuthorizationServer,
  WITH_SECRET,
} from './authorization-server.fixture.ts';
import { start } from './target.ts';

test.each(['jwt', 'opaque'] as const)(
  'a %s token is served by the reference resource server, with a proof of each connection',
  async (format) => {
    await using server = await startAuthorizationServer((environment) =>
      start(environment, { variant: { parts: () => ({ formatOf: () => format }) } }),
    );
    const folder = await mkdtemp(join(tmpdir(), 'resource-server-'));
    try {
      const { body: keys } = await server.send('/jwks', { method: 'GET' });
      const jwks = join(folder, 'jwks.json');
      await writeFile(jwks, JSON.stringify(keys));
      const authorities = join(folder, 'ca.pem');
      await writeFile(authorities, server.pki.trusted.certificate);
      await using resource = await startBench(
        {},
        {
          TSBT_ISSUER: ISSUER,
          TSBT_AUDIENCE: WITH_SECRET,
          TSBT_JWKS_FILE: jwks,
          TSBT_CLIENT_CA_FILE: authorities,
          TSBT_SERVER_CA_FILE: authorities,
          TSBT_INTROSPECTION_URL: `${server.origin}/token/introspection`,
          TSBT_INTROSPECTION_CLIENT_ID: WITH_SECRET,
          TSBT_INTROSPECTION_CLIENT_SECRET: SECRET,
        },
      );
      const { alice, mallory } = server.identities;
      const token = accessToken(await server.token('alice', alice, { resource: WITH_SECRET }));
      for (const http of ['http/1.1', 'h2'] as const) {
        await using line = await resource.connect(http, { identity: alice });
        const fields = credentials(token, line, alice);
        expect(await line.send({ fields })).toMatchObject({ status: 200 });
        await using thief = await resource.connect(http, { identity: mallory });
        expect(await thief.send({ fields })).toMatchObject({ status: 401 });
        expect(await thief.send({ fields: credentials(token, thief, mallory) })).toMatchObject({
          status: 401,
        });
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
