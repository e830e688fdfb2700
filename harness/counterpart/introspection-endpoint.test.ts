import { request } from 'node:https';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPki, type Pki } from '../../certs/pki.ts';
import { startIntrospectionEndpoint, type IntrospectionEndpoint } from './introspection-endpoint.ts';
import { introspectionRegistry, type IntrospectionHandle } from './introspection-registry.ts';

let pki: Pki;
let endpoint: IntrospectionEndpoint;

beforeAll(async () => {
  pki = await createPki();
  endpoint = await startIntrospectionEndpoint({
    server: pki.server,
    clientId: 'rs:1',
    clientSecret: 'säcret%',
  });
});
afterAll(async () => {
  await endpoint.close();
});

test('answers what was registered through the serialised handle, and counts', async () => {
  const handle = JSON.parse(JSON.stringify(endpoint.handle)) as IntrospectionHandle;
  const registry = introspectionRegistry(handle);
  const response = { active: true, sub: 'alice', cnf: { 'x5t#S256': 'abc', tls_exp: true } };
  await registry.register('t+1 =&', response);
  expect(await registry.requests('t+1 =&')).toBe(0);
  expect(await introspect({ token: 't+1 =&' })).toEqual({ status: 200, body: response });
  expect(await introspect({ token: 't+1 =&', token_type_hint: 'access_token' })).toEqual({
    status: 200,
    body: response,
  });
  expect(await registry.requests('t+1 =&')).toBe(2);
  await registry.register('t+1 =&', { active: false });
  expect(await introspect({ token: 't+1 =&' })).toEqual({ status: 200, body: { active: false } });
  expect(await registry.requests('t+1 =&')).toBe(3);
});

test('does not know other tokens', async () => {
  expect(await introspect({ token: 'unknown' })).toEqual({ status: 200, body: { active: false } });
  expect(await introspectionRegistry(endpoint).requests('unknown')).toBe(0);
});

test.each([
  ['no credentials', null],
  ['a wrong secret', basic('rs:1', 'guess')],
  ['the id alone', `Basic ${Buffer.from('rs%3A1').toString('base64')}`],
  ['another scheme', 'Bearer abc'],
])('refuses %s', async (what, authorization) => {
  const registry = introspectionRegistry(endpoint);
  await registry.register(what, { active: true });
  expect(await introspect({ token: what }, authorization)).toEqual({
    status: 401,
    body: { error: 'invalid_client' },
  });
  expect(await registry.requests(what)).toBe(0);
});

test('refuses a request without a token', async () => {
  expect(await introspect({ tokn: 'x' })).toEqual({ status: 400, body: { error: 'invalid_request' } });
});

test('lets nobody register without the secret', async () => {
  const registry = introspectionRegistry({ ...endpoint.handle, registrationSecret: 'guess' });
  await expect(registry.register('stolen', { active: true })).rejects.toThrow('answered 401');
  expect(await introspect({ token: 'stolen' })).toEqual({ status: 200, body: { active: false } });
});

test('is gone after close', async () => {
  const other = await startIntrospectionEndpoint({ server: pki.server, clientId: 'a', clientSecret: 'b' });
  await introspectionRegistry(other).register('t', { active: true });
  await other.close();
  await other.close();
  await expect(introspectionRegistry(other).register('t', {})).rejects.toThrow('fetch failed');
});

function basic(id: string, secret: string): string {
  const credentials = [id, secret].map(encodeURIComponent).join(':');
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

async function introspect(
  parameters: Record<string, string>,
  authorization: string | null = basic('rs:1', 'säcret%'),
): Promise<{ status: number | undefined; body: unknown }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: unknown }>();
  const outgoing = request(
    endpoint.url,
    {
      method: 'POST',
      ca: pki.trusted.certificate,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        ...(authorization === null ? {} : { Authorization: authorization }),
      },
    },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    },
  );
  outgoing.on('error', reject);
  outgoing.end(new URLSearchParams(parameters).toString());
  return promise;
}
