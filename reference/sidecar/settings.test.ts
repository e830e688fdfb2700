import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { listenForAgents } from './agent-side.ts';
import { readSettings } from './settings.ts';

const CA = import.meta.filename;
const right = {
  TSBT_ROLE: 'client',
  TSBT_LISTEN: '127.0.0.1:8080',
  TSBT_UPSTREAM: 'https://rs.example:8443',
  TSBT_SERVER_CA_FILE: CA,
};

test.each([
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['127.1.2.3:80', { host: '127.1.2.3', port: 80 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
  ['unix:/run/sidecar.sock', { path: '/run/sidecar.sock' }],
])('listens on %s', (value, listen) => {
  expect(readSettings({ ...right, TSBT_LISTEN: value })).toMatchObject({ listen, claims: 'connection' });
});

test.each([
  ['TSBT_LISTEN', '192.0.2.1:80', /can be reached from elsewhere/],
  ['TSBT_LISTEN', '[::]:80', /can be reached from elsewhere/],
  ['TSBT_LISTEN', 'sidecar.example:80', /can be reached from elsewhere/],
  ['TSBT_LISTEN', '127.0.0.1:65536', /neither host:port/],
  ['TSBT_UPSTREAM', 'http://rs.example', /not https:/],
  ['TSBT_UPSTREAM', 'https://user@rs.example', /not https:/],
  ['TSBT_UPSTREAM', 'https://rs.example/path', /not https:/],
  ['TSBT_PROOF_CLAIMS', 'none', /neither connection nor request/],
  ['TSBT_SERVER_CA_FILE', '/nowhere', /cannot be read \(ENOENT\)/],
])('refuses %s=%s', (name, value, message) => {
  expect(() => readSettings({ ...right, [name]: value })).toThrow(message);
});

test('an address that can be reached from elsewhere has to be allowed', () => {
  const environment = { ...right, TSBT_LISTEN: '0.0.0.0:80', TSBT_ALLOW_REMOTE_AGENTS: '1' };
  expect(readSettings(environment).listen).toEqual({ host: '0.0.0.0', port: 80 });
});

test('a Unix socket serves its owner only', async () => {
  const path = join(tmpdir(), `sidecar-${randomUUID()}.sock`);
  const side = await listenForAgents({ path }, (_request, response) => response.end('here'));
  try {
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await expect(listenForAgents({ path }, () => {})).rejects.toThrow(/TSBT_LISTEN: .*is in use/);
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    request({ socketPath: path }, ({ statusCode }) => resolve(statusCode)).end();
    expect(await promise).toBe(200);
    expect(side.port).toBe(0);
  } finally {
    await side.close();
  }
});
