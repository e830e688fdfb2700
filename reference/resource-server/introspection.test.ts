import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import { createIntrospection } from './introspection.ts';

const NOW = 1000;

/** An issuer that answers as told, and remembers what it was asked. */
async function issuer(answer: () => { status?: number; body: string }) {
  const pki = await createPki();
  const asked: { authorization: string | undefined; form: URLSearchParams }[] = [];
  const server = createServer({ cert: pki.server.chain, key: pki.server.privateKey }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, form: new URLSearchParams(body) });
      const { status = 200, body: text } = answer();
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const introspection = createIntrospection({
    endpoint: `https://localhost:${port}/introspect`,
    clientId: 'rs:1',
    clientSecret: 's e+cret',
    authorities: pki.trusted.certificate,
    audience: 'rs',
    issuer: 'as',
    timeoutMs: 2000,
  });
  return {
    asked,
    validate: introspection.validate,
    async [Symbol.asyncDispose]() {
      await introspection[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
    },
  };
}

test('an active token is asked for each time, with HTTP Basic', async () => {
  let active = true;
  const cnf = { 'x5t#S256': 'x', tls_exp: 'y' };
  const body = () => JSON.stringify({ active, sub: 'alice', scope: 'a b', exp: NOW + 9, aud: ['rs'], cnf });
  await using as = await issuer(() => ({ body: body() }));
  expect(await as.validate('opaque+/~=', NOW)).toMatchObject({
    subject: 'alice',
    scopes: ['a', 'b'],
    confirmation: cnf,
    expiresAt: NOW + 9,
  });
  expect(as.asked[0]?.form.get('token')).toBe('opaque+/~=');
  const basic = Buffer.from(as.asked[0]?.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
  expect(basic).toBe('rs%3A1:s+e%2Bcret');
  active = false;
  expect(await as.validate('opaque+/~=', NOW)).toBeUndefined();
  expect(as.asked).toHaveLength(2);
});

test.each([
  ['inactive', '{"active":false}'],
  ['active as text', '{"active":"true"}'],
  ['expired', `{"active":true,"exp":${NOW}}`],
  ['not yet valid', `{"active":true,"nbf":${NOW + 1}}`],
  ['for another audience', '{"active":true,"aud":"other"}'],
  ['of another issuer', '{"active":true,"iss":"other"}'],
  ['no JSON', '<html>'],
  ['null', 'null'],
  ['an array', '[{"active":true}]'],
  ['too long', `{"active":true,"x":"${'x'.repeat(70_000)}"}`],
])('a response that is %s makes the token invalid', async (_what, body) => {
  await using as = await issuer(() => ({ body }));
  expect(await as.validate('opaque', NOW)).toBeUndefined();
});

test('an endpoint that fails makes the token invalid', async () => {
  await using as = await issuer(() => ({ status: 500, body: '{"active":true}' }));
  expect(await as.validate('opaque', NOW)).toBeUndefined();
});
