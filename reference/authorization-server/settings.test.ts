import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFile } from 'node:fs/promises';
import { AUDIENCE, type Foundation, ISSUER, layFoundation } from './authorization-server.fixture.ts';
import { readSettings } from './settings.ts';

let foundation: Foundation;

beforeAll(async () => {
  foundation = await layFoundation();
});
afterAll(() => foundation[Symbol.asyncDispose]());

const environment = () => ({
  ...foundation.environment,
  TSBT_LISTEN: '[::1]:8443',
  TSBT_ISSUER: ISSUER,
});

test('settings are read', () => {
  expect(readSettings({ ...environment(), TSBT_OPAQUE_AUDIENCE: undefined })).toMatchObject({
    host: '::1',
    port: 8443,
    issuer: ISSUER,
    audience: AUDIENCE,
    opaqueAudience: undefined,
  });
});

test.each([
  ['TSBT_LISTEN', '127.0.0.1', 'TSBT_LISTEN: 127.0.0.1 is not host:port'],
  ['TSBT_ISSUER', `${ISSUER}/`, `TSBT_ISSUER: ${ISSUER}/ is not https://host[:port]`],
  ['TSBT_ISSUER', 'http://as.test', 'TSBT_ISSUER: http://as.test is not https://host[:port]'],
  ['TSBT_AUDIENCE', 'rs', 'TSBT_AUDIENCE: rs is not an absolute URI without a fragment (RFC 8707 §2)'],
  [
    'TSBT_OPAQUE_AUDIENCE',
    'a:b#c',
    'TSBT_OPAQUE_AUDIENCE: a:b#c is not an absolute URI without a fragment (RFC 8707 §2)',
  ],
  ['TSBT_CLIENTS_FILE', '/nowhere', 'TSBT_CLIENTS_FILE: /nowhere cannot be read (ENOENT)'],
])('%s: %s is refused in words', (name, value, message) => {
  expect(() => readSettings({ ...environment(), [name]: value })).toThrow(message);
});

test.each(['', '{}', '[{}]', '[null]', '[{"client_id":1}]'])(
  'clients %j are refused in words',
  async (text) => {
    const path = `${foundation.environment['TSBT_CLIENTS_FILE'] ?? ''}.wrong`;
    await writeFile(path, text);
    expect(() => readSettings({ ...environment(), TSBT_CLIENTS_FILE: path })).toThrow(
      `TSBT_CLIENTS_FILE: ${path} is not a JSON array of client metadata, each with a client_id`,
    );
  },
);
