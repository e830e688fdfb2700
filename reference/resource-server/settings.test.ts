import { writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startBench } from '../test-bench/bench.ts';
import { readSettings, SettingsError } from './settings.ts';
import { start } from './target.ts';

function mistakeIn(environment: Readonly<Record<string, string | undefined>>): SettingsError {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error;
  }
  throw new Error('the settings were taken');
}

test('each mistake gets one line that names the setting', async () => {
  await using bench = await startBench();
  const { environment } = bench;
  const noKeys = `${environment['TSBT_JWKS_FILE']}.broken`;
  await writeFile(noKeys, '{"keys":[1]}');
  const cases: [Record<string, string | undefined>, RegExp][] = [
    [{ TSBT_LISTEN: undefined }, /^TSBT_LISTEN is not set$/],
    [{ TSBT_LISTEN: 'localhost' }, /^TSBT_LISTEN: localhost is not host:port$/],
    [{ TSBT_LISTEN: '127.0.0.1:99999' }, /^TSBT_LISTEN: .* is not host:port$/],
    [{ TSBT_TLS_KEY_FILE: '/nonexistent' }, /^TSBT_TLS_KEY_FILE: \/nonexistent cannot be read \(ENOENT\)$/],
    [{ TSBT_ISSUER: '' }, /^TSBT_ISSUER is not set$/],
    [{ TSBT_JWKS_FILE: environment['TSBT_TLS_CERT_FILE'] }, /^TSBT_JWKS_FILE: .* is not a JWK Set$/],
    [{ TSBT_JWKS_FILE: noKeys }, /^TSBT_JWKS_FILE: .* is not a JWK Set$/],
    [{ TSBT_INTROSPECTION_URL: 'http://as.example/' }, /^TSBT_INTROSPECTION_URL: .* is not an https URL$/],
    [{ TSBT_INTROSPECTION_URL: 'https://as.example/' }, /^TSBT_INTROSPECTION_CLIENT_ID is not set$/],
  ];
  for (const [change, message] of cases) {
    const mistake = mistakeIn({ ...environment, ...change });
    expect(mistake.message).toMatch(message);
    expect(mistake.exitCode).toBe(2);
  }
  expect(mistakeIn({ ...environment, TSBT_ROLE: 'client' }).exitCode).toBe(127);
  expect(readSettings({ ...environment, TSBT_LISTEN: '[::1]:8443' })).toMatchObject({
    host: '::1',
    port: 8443,
  });
});

test('a port in use and a key that is none are the user’s to mend', async () => {
  await using bench = await startBench();
  const inUse = { ...bench.environment, TSBT_LISTEN: `127.0.0.1:${bench.port}` };
  await expect(start(inUse)).rejects.toThrow(/^TSBT_LISTEN: 127\.0\.0\.1:\d+ is in use/);
  const noKey = { ...bench.environment, TSBT_TLS_KEY_FILE: bench.environment['TSBT_JWKS_FILE'] };
  await expect(start(noKey)).rejects.toThrow(SettingsError);
});
