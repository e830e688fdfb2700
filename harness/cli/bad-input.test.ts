import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Report } from '../../reports/model.ts';
import { start, tsbt } from './command-line.fixture.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const REFERENCE = fileURLToPath(new URL('../../targets/reference/target.yaml', import.meta.url));
/** Two scenarios are enough to see that a run goes on. */
const FEW = ['--scenario', 'RS-EKM-1', '--scenario', 'RS-EKM-5'];

// On a busy machine a target that hangs is waited for up to ten times longer.
vi.setConfig({ testTimeout: 300_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tsbt-cli-'));
  return () => rm(folder, { recursive: true, force: true });
});

let numbered = 0;
async function manifest(text: string): Promise<string> {
  const file = join(folder, `target-${++numbered}.yaml`);
  await writeFile(file, text);
  return file;
}

function hostile(mode: string, ...more: string[]): Promise<string> {
  const command = [process.execPath, fixture('hostile.mjs'), mode, ...more]
    .map((word) => JSON.stringify(word))
    .join(', ');
  return manifest(
    `name: hostile-${mode}\ntitle: Hostile ${mode}\nrole: resource-server\nstart: { process: { command: [${command}] } }\n`,
  );
}

function report(out: string): Report {
  return JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
}

describe.concurrent('a mistake on the command line', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown option', ['run', '--porfile', 'core'], /unknown option '--porfile'[\s\S]*--profile/],
    ['an unknown command', ['rnu'], /unknown command 'rnu'[\s\S]*run/],
    ['an unknown profile', ['run', '--profile', 'quick'], /Allowed choices are core, full/],
    ['a permutation that is none', ['run', '--permutation', 'TLSv1.1 h2 RSA'], /TLSv1\.3, TLSv1\.2/],
    ['a missing manifest', ['run', '/nowhere/target.yaml'], /\/nowhere\/target\.yaml/],
    ['a URL that is not https', ['run', '--url', 'http://localhost:1'], /https/],
    [
      'a scenario that does not exist',
      ['run', '--scenario', 'RS-NO-*'],
      /--scenario: "RS-NO-\*" matches nothing/,
    ],
    ['a suite that does not exist', ['run', '--suite', 'exportre'], /Did you mean exporter\?/],
    ['a baseline that does not exist', ['run', '--baseline', '/nowhere/b.json'], /b\.json/],
    ['a baseline to be written nowhere', ['run', '--write-baseline'], /--baseline FILE/],
    [
      'an output folder that cannot be made',
      ['run', '--out', '/proc/tsbt/report'],
      /--out: \/proc\/tsbt\/report cannot be written/,
    ],
    ['a mutant that does not exist', ['run', '--mutant', 'M-RS-2l'], /--mutant: there is no M-RS-2l/],
    ['an unknown id to explain', ['explain', 'RS-EKM-99'], /there is no RS-EKM-99/],
    ['a list of nothing known', ['list', 'tests'], /Allowed choices are scenarios, requirements, mutants/],
  ])('%s ends with 2 and the remedy', async (_what, words, message) => {
    const { code, errors } = await tsbt(...words);
    expect(errors).toMatch(message);
    expect(errors).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });

  test('a malformed manifest is told with file, line and field', async () => {
    const file = await manifest(
      'name: x\ntitle: X\nrole: resource-servr\nstart: { url: https://localhost:1 }\ncapabilites: [h2]\n',
    );
    const { code, errors } = await tsbt('run', file);
    expect(errors).toContain(`${file}:3:1 role`);
    expect(errors).toMatch(/capabilites[\s\S]*did you mean capabilities\?/i);
    expect(code).toBe(2);
  });

  test('an output folder that may not be written ends with 2', async ({ skip }) => {
    if (process.getuid?.() === 0)
      skip('not run as root, who may write everything: /proc stands for it above');
    const locked = await mkdtemp(join(folder, 'locked-'));
    await chmod(locked, 0o500);
    const { code, errors } = await tsbt('run', ...FEW, '--out', locked);
    expect(errors).toMatch(/--out/);
    expect(code).toBe(2);
  });
});

describe.concurrent('a target that does not come up', () => {
  test.each<[string, string, RegExp]>([
    [
      'dies at start',
      'process: { command: [node, -e, "console.error(`no licence`); process.exit(9)"] }',
      /status 9[\s\S]*no licence/,
    ],
    ['is not there', 'process: { command: [./no-such-program] }', /no-such-program/],
    ['does not play the role', 'process: { command: [node, -e, "process.exit(127)"] }', /role/],
    ['is not reachable', 'url: https://127.0.0.1:1', /127\.0\.0\.1:1/],
  ])('%s: told with its log, the other target is judged, exit 4', async (what, launch, message) => {
    const file = await manifest(`name: absent\ntitle: Absent\nrole: resource-server\nstart: { ${launch} }\n`);
    const out = join(folder, `absent-${what.replaceAll(' ', '-')}`);
    const { code, output } = await tsbt('run', file, REFERENCE, ...FEW, '--out', out);
    expect(output).toMatch(message);
    const { targets, summary, results } = report(out);
    expect(targets.find((target) => target.name === 'absent')?.problem).toMatch(message);
    expect(results.filter((result) => result.target === 'absent')).toEqual([]);
    expect(summary['reference-resource-server']?.pass).toBe(2);
    expect(code).toBe(4);
  });

  test('leaves the baseline that there is as it is', async () => {
    const file = await manifest(
      'name: absent\ntitle: Absent\nrole: resource-server\nstart: { process: { command: [./no-such-program] } }\n',
    );
    const baseline = join(folder, 'kept.json');
    await writeFile(baseline, '{"absent":{"RS-EKM-1":"known"}}');
    const words = ['--baseline', baseline, '--write-baseline', '--out', join(folder, 'kept')];
    const { code, errors } = await tsbt('run', file, ...FEW, ...words);
    expect(errors).toMatch(/no-such-program[\s\S]*No baseline written/);
    expect(readFileSync(baseline, 'utf8')).toContain('RS-EKM-1');
    expect(code).toBe(4);
  });

  test('a mistake that shows only when targets run leaves none of them behind', async () => {
    const server = createTlsServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const first = await manifest(
      `name: given\ntitle: Given\nrole: resource-server\nstart: { url: "https://127.0.0.1:${port}" }\ncredentials: { certificate: "${REFERENCE}", key: "${REFERENCE}", accessToken: secret }\n`,
    );
    const second = await hostile('hang');
    const { code, errors } = await tsbt('run', first, second, ...FEW, '--out', join(folder, 'mistake'));
    server.close();
    expect(errors).toMatch(/is not a PEM certificate/);
    expect(errors).not.toContain('secret');
    expect(code).toBe(2);
  });

  test('a port in use is told', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const file = await manifest(
      `name: crowded\ntitle: Crowded\nrole: resource-server\nstart: { process: { command: [node, -e, "require('net').createServer().listen(${port}, '127.0.0.1')"] } }\n`,
    );
    const { code, output } = await tsbt('run', file, ...FEW, '--out', join(folder, 'crowded'));
    other.close();
    expect(output).toMatch(/EADDRINUSE/);
    expect(code).toBe(4);
  });
});

test('results are told though the report cannot be written any more', async () => {
  const out = await mkdtemp(join(folder, 'late-'));
  await mkdir(join(out, 'report.json'));
  const { code, output, errors } = await tsbt('run', ...FEW, '--out', out);
  expect(output).toMatch(/2 passed|2 pass/);
  expect(errors).toMatch(/--out/);
  expect(code).toBe(2);
});

test('a module that cannot be closed does not keep the process', async () => {
  const module = join(folder, 'open.mjs');
  await writeFile(
    module,
    `import { start as inner } from ${JSON.stringify(fileURLToPath(new URL('../../reference/resource-server/target.ts', import.meta.url)))};
     export const start = async (...given) => { await inner(...given); };`,
  );
  const file = await manifest(
    `name: open\ntitle: Open\nrole: resource-server\nstart: { module: ${JSON.stringify(module)} }\n`,
  );
  const { code } = await tsbt('run', file, ...FEW, '--out', join(folder, 'open'));
  expect(code).toBe(0);
});

describe.concurrent('a hostile target', () => {
  test.each<[string, RegExp, string, number]>([
    ['hang', /timeout/, 'inconclusive', 4],
    ['garbage', /garbage/, 'fail', 1],
    ['endless-body', /endless-response/, 'fail', 1],
    ['endless-header', /endless-response/, 'fail', 1],
    ['reset', /reset|closed/, 'fail', 1],
    ['markup', /401/, 'fail', 1],
  ])(
    '%s: every scenario gets a verdict with the reason, the other target is judged, nothing is left',
    async (mode, reason, verdict, exitCode) => {
      const pidFile = join(folder, `${mode}.pid`);
      const out = join(folder, mode);
      const { code } = await tsbt('run', await hostile(mode, pidFile), REFERENCE, ...FEW, '--out', out);
      const { results, complete } = report(out);
      const own = results.filter((result) => result.target === `hostile-${mode}`);
      expect(own.map((result) => result.verdict)).toEqual([verdict, 'inconclusive']);
      expect(own.map((result) => result.reason).join('\n')).toMatch(reason);
      expect(
        results
          .filter((result) => result.target === 'reference-resource-server')
          .map((result) => result.verdict),
      ).toEqual(['pass', 'pass']);
      expect(complete).toBe(true);
      expect(code).toBe(exitCode);
      expect(alive(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
      for (const file of ['index.html', 'junit.xml', 'report.ndjson'])
        expect(existsSync(join(out, file)), file).toBe(true);
      expect(readFileSync(join(out, 'index.html'), 'utf8')).not.toMatch(/<script>alert/);
    },
  );

  test('crash-when-asked: what could not be judged says so, the other target is judged', async () => {
    const out = join(folder, 'crash');
    const { code, output } = await tsbt(
      'run',
      await hostile('crash-when-asked'),
      REFERENCE,
      ...FEW,
      '--out',
      out,
    );
    const { results } = report(out);
    const own = results
      .filter((result) => result.target === 'hostile-crash-when-asked')
      .map((result) => result.verdict);
    expect(own).toHaveLength(2);
    expect(own).not.toContain('pass');
    expect(output).toMatch(/ended during the run: .*status 3/);
    expect(
      results
        .filter((result) => result.target === 'reference-resource-server')
        .map((result) => result.verdict),
    ).toEqual(['pass', 'pass']);
    expect([1, 4]).toContain(code);
  });

  test('log-flood: serving everything is a failure, and the report stays small', async () => {
    const out = join(folder, 'log-flood');
    const { code } = await tsbt('run', await hostile('log-flood'), ...FEW, '--out', out);
    expect(report(out).results.map((result) => result.verdict)).toEqual(['fail', 'fail']);
    expect(report(out).results[0]?.evidence.log?.length).toBeLessThanOrEqual(20);
    expect(readFileSync(join(out, 'report.json')).length).toBeLessThan(2_000_000);
    expect(code).toBe(1);
  });
});

test('Ctrl-C ends what was started and still writes a report, which says that it is incomplete', async () => {
  const out = join(folder, 'interrupted');
  const pidFile = join(folder, 'interrupted.pid');
  const { child, ended } = start(['run', await hostile('hang', pidFile), '--profile', 'full', '--out', out]);
  await firstLine(join(out, 'report.ndjson'));
  child.kill('SIGINT');
  const { code, errors } = await ended;
  expect(errors).toMatch(/Stopping/);
  expect(code).toBe(130);
  expect(report(out).complete).toBe(false);
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toMatch(/[Ii]ncomplete/);
  expect(alive(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
});

/** Resolves once the run has begun: its stream has a header with a plan. */
async function firstLine(file: string): Promise<void> {
  const begun = (): boolean => existsSync(file) && /"planned":[1-9]/.test(readFileSync(file, 'utf8'));
  const watcher = watch(folder, { recursive: true });
  try {
    while (!begun()) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
