import { expect, test } from 'vitest';
import { startCanary } from './canary.ts';
import { connect } from './connect.ts';
import type { ConnectOptions } from './connection.ts';

test('records requests over TLS and without, and handshakes that were given up', async () => {
  await using canary = await startCanary();
  expect(canary.requests).toEqual([]);
  const options: ConnectOptions = {
    host: '127.0.0.1',
    port: Number(new URL(canary.url).port),
    tls: 'TLSv1.3',
    http: 'http/1.1',
    identity: null,
    serverAuthorities: null,
  };
  await using connection = await connect(options);
  const response = await connection.send({ method: 'GET', target: '/jwks.json', fields: [] });
  expect(response).toMatchObject({ status: 200, body: Buffer.from('{"keys":[]}') });
  const { serverAuthorities: _, ...mistrusting } = options;
  await expect(connect(mistrusting)).rejects.toMatchObject({ outcome: { kind: 'tls-handshake' } });
  const headers = { 'X-Marked': 'yes' };
  expect((await fetch(`${canary.httpUrl}/x5u`, { headers })).status).toBe(200);
  expect(canary.fields).toHaveLength(2);
  expect(canary.fields[1]).toContainEqual(['X-Marked', 'yes']);
  expect(canary.requests.toSorted()).toEqual([
    'GET /jwks.json',
    'GET /x5u',
    'a TLS handshake that was given up',
  ]);
});
