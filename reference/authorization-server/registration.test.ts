import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXPORTER_LABEL } from '../proof/vocabulary.ts';
import {
  accessToken,
  type AuthorizationServerBench,
  decoded,
  startAuthorizationServer,
} from './authorization-server.fixture.ts';
import { start } from './target.ts';

let server: AuthorizationServerBench;

beforeAll(async () => {
  server = await startAuthorizationServer(start);
});
afterAll(() => server[Symbol.asyncDispose]());

const METADATA = {
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_subject_dn: 'CN=alice',
  grant_types: ['client_credentials'],
};

const sendJson = (method: string, path: string, value: object, token?: string) =>
  server.send(path, {
    method,
    body: JSON.stringify(value),
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });

const register = (further: object) => sendJson('POST', '/reg', { ...METADATA, ...further });

async function confirmationOf(clientId: unknown) {
  const { claims } = decoded(accessToken(await server.token(String(clientId), server.identities.alice)));
  return claims['cnf'];
}

const bound = () => ({ 'x5t#S256': server.identities.alice.thumbprint, tls_exp: EXPORTER_LABEL });

describe('tls_session_bound_access_tokens', () => {
  test.each([
    [{ tls_session_bound_access_tokens: true }, true],
    [{ tls_session_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: false }, true],
    [{ tls_session_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true }, true],
    [{ tls_session_bound_access_tokens: false }, false],
    [{}, false],
  ])('%j is echoed and heeded', async (member, expected) => {
    const { status, body } = await register(member);
    expect([status, body['tls_session_bound_access_tokens']]).toEqual([201, expected]);
    expect(await confirmationOf(body['client_id'])).toEqual(expected ? bound() : undefined);
  });

  test.each(['true', 'false', 1, 0, null, 'yes', {}, [[]]])('%j is refused', async (value) => {
    const { status, body } = await register({ tls_session_bound_access_tokens: value });
    expect([status, body['error'], body['client_id']]).toEqual([400, 'invalid_client_metadata', undefined]);
  });

  test('can be read back, and replaced by the client’s own management', async () => {
    const { body } = await register({ tls_session_bound_access_tokens: true });
    const [path, token] = [`/reg/${String(body['client_id'])}`, String(body['registration_access_token'])];
    const read = await server.send(path, { method: 'GET', headers: { authorization: `Bearer ${token}` } });
    expect(read.body['tls_session_bound_access_tokens']).toBe(true);
    const replaced = await sendJson('PUT', path, { ...METADATA, client_id: body['client_id'] }, token);
    expect(replaced.body['tls_session_bound_access_tokens']).toBe(false);
    expect(await confirmationOf(body['client_id'])).toBeUndefined();
    const wrong = { ...METADATA, client_id: body['client_id'], tls_session_bound_access_tokens: 'true' };
    const renewed = String(replaced.body['registration_access_token']);
    expect(await sendJson('PUT', path, wrong, renewed)).toMatchObject({
      status: 400,
      body: { error: 'invalid_client_metadata' },
    });
  });
});
