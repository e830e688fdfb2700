import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { issue } from '../../certs/issue.ts';
import { openStore } from '../../certs/store.ts';
import type { Report } from '../../reports/model.ts';
import { forgeToken } from '../forge/token.ts';
import { start, tsbt } from './command-line.fixture.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const FEW = [
  '--scenario',
  'RS-EKM-5',
  '--scenario',
  'RS-PL-2',
  '--scenario',
  'RS-MTLS-4',
  '--scenario',
  'RS-SIG-1',
];

let folder: string;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsbt-url-'));
  const { child, ended } = start(['serve', 'resource-server']);
  url = await announcedUrl(child.stdout);
  return async () => {
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    await rm(folder, { recursive: true, force: true });
  };
});

async function announcedUrl(output: NodeJS.ReadableStream): Promise<string> {
  for (let text = ''; ;) {
    const [chunk] = (await once(output, 'data')) as [string];
    text += chunk;
    const found = /https:\/\/localhost:\d+/.exec(text);
    if (found !== null) return found[0];
  }
}

/** A manifest for the server, with credentials that name these files. */
async function withCredentials(
  name: string,
  identity: { readonly chain: string; readonly privateKey: string },
  accessToken: string,
): Promise<string> {
  await writeFile(join(folder, `${name}.pem`), identity.chain);
  await writeFile(join(folder, `${name}.key`), identity.privateKey, { mode: 0o600 });
  const file = join(folder, `${name}.yaml`);
  await writeFile(
    file,
    JSON.stringify({
      name,
      title: name,
      role: 'resource-server',
      start: { url },
      credentials: { certificate: `${name}.pem`, key: `${name}.key`, accessToken },
    }),
  );
  return file;
}

function report(out: string): Report {
  return JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
}

test('a server that runs already and trusts the suite is judged by its URL', async () => {
  const out = join(folder, 'by-url');
  const { code } = await tsbt('run', '--url', url, ...FEW, '--out', out);
  expect(report(out).results.map((result) => result.verdict)).toEqual(['pass', 'pass', 'pass', 'pass']);
  expect(code).toBe(0);
});

test('with one certificate and token given, what needs others is not applicable, and the token stays secret', async () => {
  const { alice, tokenIssuer } = await openStore();
  const token = forgeToken(tokenIssuer, { boundTo: alice['P-384'] }).compact;
  const out = join(folder, 'given');
  const { code, output } = await tsbt(
    'run',
    await withCredentials('given', alice['P-384'], token),
    ...FEW,
    '--out',
    out,
  );
  const verdicts = Object.fromEntries(report(out).results.map((result) => [result.scenario, result.verdict]));
  expect(verdicts).toEqual({
    'RS-EKM-5': 'pass',
    'RS-MTLS-4': 'not-applicable',
    'RS-PL-2': 'pass',
    'RS-SIG-1': 'not-applicable',
  });
  expect(report(out).results[0]?.permutation.key).toBe('P-384');
  expect(code).toBe(0);
  for (const text of [output, ...readdirSync(out).map((file) => readFileSync(join(out, file), 'utf8'))]) {
    expect(text.includes(token)).toBe(false);
    expect(text).not.toContain('PRIVATE KEY');
  }
});

test('a given certificate that has expired is a mistake of the user', async () => {
  const { trusted, tokenIssuer } = await openStore();
  const day = 86_400_000;
  const expired = await issue(trusted, {
    name: 'late',
    keyType: 'P-256',
    notBefore: new Date(Date.now() - 3 * day),
    notAfter: new Date(Date.now() - day),
  });
  const { code, errors } = await tsbt(
    'run',
    await withCredentials('late', expired, forgeToken(tokenIssuer, { boundTo: expired }).compact),
    ...FEW,
  );
  expect(errors).toMatch(/late\.pem: expired on/);
  expect(code).toBe(2);
});
