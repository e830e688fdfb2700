import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import { CAPABILITY_NAMES, DEFAULT_CAPABILITIES } from './capabilities.ts';
import { promised } from './environment.ts';
import { loadManifest, manifestForUrl } from './manifest.ts';
import { FIELDS } from './manifest-schema.ts';

const CONTRACT = readFileSync(join(import.meta.dirname, '../../docs/target-contract.md'), 'utf8');

test('the published contract names every capability, and no other', () => {
  const table = /### `capabilities`\n[^]*?\n\n(\|[^]*?)\n\n/.exec(CONTRACT)?.[1] ?? '';
  const named = table.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)]);
  expect(new Set(named.map(([, name]) => name))).toEqual(new Set<string | undefined>(CAPABILITY_NAMES));
  expect(CONTRACT).toContain(`default \`[${DEFAULT_CAPABILITIES.join(', ')}]\``);
});

test.each(Object.values(FIELDS).flat())('the published contract describes the field %s', (field) => {
  const described = [`\`${field}\``, `.${field}\``, `\`${field}.`].some((text) => CONTRACT.includes(text));
  expect(described).toBe(true);
});

test('the published contract describes every variable that a target is given', async () => {
  const pki = await createPki();
  const manifest = manifestForUrl('https://127.0.0.1', 'resource-server');
  const { values, files } = promised(
    { ...manifest, capabilities: ['introspection'] },
    {
      serverIdentity: pki.server,
      clientAuthorities: '',
      serverAuthorities: '',
      issuer: '',
      audience: '',
      jwks: {},
      introspection: { url: '', clientId: '', clientSecret: '' },
    },
    { listen: '127.0.0.1:1', publicPort: 1 },
  );
  const names = Object.keys({ ...values, ...files });
  expect(names).toHaveLength(12);
  expect(names.filter((name) => !CONTRACT.includes(`\`${name}\``))).toEqual([]);
});

test('the manifests in the published contract are right', async () => {
  const manifests = [...CONTRACT.matchAll(/```yaml\n(name:[^]*?)```/g)].map(([, text = '']) => text);
  expect(manifests).toHaveLength(3);
  const folder = await mkdtemp(join(tmpdir(), 'tsbt-contract-'));
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\n');
  for (const text of manifests) {
    const file = join(folder, 'target.yaml');
    await writeFile(file, text);
    expect(await loadManifest(file)).toMatchObject({ name: 'my-rs', role: 'resource-server' });
  }
  await rm(folder, { recursive: true });
});
