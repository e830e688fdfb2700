import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ExportError, exportPki } from './export.ts';
import { defaultDirectory, openStore } from './store.ts';
import { jwks } from './token-issuer.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsbt-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('the PKI stays the same from run to run, and its file is private', async () => {
  const directory = join(folder, 'state', 'pki');
  const first = await openStore(directory);
  expect(first).toMatchObject({ persisted: true, directory });
  expect(await openStore(directory)).toEqual(first);
  expect((await stat(join(directory, 'pki.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await readdir(directory)).toEqual(['pki.json']);
});

test('runs that start at once agree on one PKI', async () => {
  const stores = await Promise.all([1, 2, 3].map(() => openStore(join(folder, 'race'))));
  expect(new Set(stores.map(({ mallory }) => mallory.thumbprint)).size).toBe(1);
  expect((await openStore(join(folder, 'race'))).mallory).toEqual(stores[0]?.mallory);
});

test('a file that is broken, of another format, incomplete or about to expire is replaced', async () => {
  const directory = join(folder, 'broken');
  const file = join(directory, 'pki.json');
  let last = await openStore(directory);
  const good = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  for (const text of [
    '{',
    '[]',
    JSON.stringify({ ...good, format: 0 }),
    JSON.stringify({ ...good, mallory: { name: 'm' } }),
  ]) {
    await writeFile(file, text);
    const next = await openStore(directory);
    expect(next.persisted).toBe(true);
    expect(next.mallory.thumbprint).not.toBe(last.mallory.thumbprint);
    expect(await openStore(directory)).toEqual(next);
    last = next;
  }
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 359 * 86_400_000 });
  try {
    expect((await openStore(directory)).mallory.thumbprint).not.toBe(last.mallory.thumbprint);
  } finally {
    vi.useRealTimers();
  }
});

test('a directory that cannot be used costs persistence, not the run', async () => {
  const file = join(folder, 'plain-file');
  await writeFile(file, '');
  const store = await openStore(join(file, 'pki'));
  expect(store.persisted).toBe(false);
  expect(store.reason).toContain('ENOTDIR');
  expect(
    new X509Certificate(store.mallory.certificate).checkIssued(
      new X509Certificate(store.trusted.certificate),
    ),
  ).toBe(true);
});

test('the directory follows the environment', () => {
  expect(defaultDirectory({ TSBT_PKI_DIR: '/x' })).toBe('/x');
  expect(defaultDirectory({ XDG_STATE_HOME: '/state' })).toBe('/state/tsbt/pki');
  expect(defaultDirectory({})).toMatch(/\.local\/state\/tsbt\/pki$/);
});

test('the export holds what an operator needs, and can be repeated', async () => {
  const store = await openStore(join(folder, 'state', 'pki'));
  const target = join(folder, 'export');
  const written = await exportPki(store, target);
  expect(await exportPki(store, target)).toEqual(written);
  expect((await readdir(target)).map((name) => join(target, name)).toSorted()).toEqual(written.toSorted());
  expect(await readFile(join(target, 'ca.pem'), 'utf8')).toBe(store.trusted.certificate);
  expect(await readFile(join(target, 'alice-Ed25519.key'), 'utf8')).toBe(store.alice.Ed25519.privateKey);
  expect((await stat(join(target, 'server.key'))).mode & 0o777).toBe(0o600);
  const keys = JSON.parse(await readFile(join(target, 'jwks.json'), 'utf8')) as { keys: never[] };
  expect(keys).toEqual(jwks(store.tokenIssuer));
  expect(keys.keys[0]).not.toHaveProperty('d');
  expect(() => createLocalJWKSet(keys)).not.toThrow();
  const readme = await readFile(join(target, 'README.txt'), 'utf8');
  for (const path of written.slice(0, -1)) expect(readme).toContain(path.slice(target.length + 1));
  for (const name of [
    'TLS_CERT_FILE',
    'TLS_KEY_FILE',
    'CLIENT_CA_FILE',
    'SERVER_CA_FILE',
    'ISSUER',
    'JWKS_FILE',
    'AUDIENCE',
  ]) {
    expect(readme).toContain(`TSBT_${name}`);
  }
});

test('the export touches nothing foreign, and says what is wrong', async () => {
  const store = await openStore(join(folder, 'state', 'pki'));
  const foreign = join(folder, 'foreign');
  await mkdir(foreign);
  await writeFile(join(foreign, 'server.key'), 'precious');
  const refused = exportPki(store, foreign);
  await expect(refused).rejects.toThrow(ExportError);
  await expect(refused).rejects.toMatchObject({
    where: join(foreign, 'server.key'),
    remedy: expect.any(String),
  });
  expect(await readdir(foreign)).toEqual(['server.key']);
  expect(await readFile(join(foreign, 'server.key'), 'utf8')).toBe('precious');
  await expect(exportPki(store, join(folder, 'plain-file', 'x'))).rejects.toThrow(ExportError);
});
