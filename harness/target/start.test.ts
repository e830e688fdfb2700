import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, request } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createPki, type Pki } from '../../certs/pki.ts';
import { promised } from './environment.ts';
import { writeEnvironment } from './environment-folder.ts';
import type { EnvironmentFolder } from './environment-folder.ts';
import { freePort } from './free-port.ts';
import { MAX_LINE, MAX_LINES } from './log-ring.ts';
import { manifestForUrl, type Manifest, type Start } from './manifest.ts';
import { startProcessTarget } from './process-target.ts';
import { startTarget } from './start.ts';
import { TargetProblem, type Target, type TargetSettings } from './target.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
let pki: Pki;

beforeAll(async () => {
  pki = await createPki();
});

describe('a process target', () => {
  test('is started, serves, keeps its log and is gone after stop', async () => {
    const target = await startTarget(manifest(script('server.mjs')), settings());
    expect(target.alive()).toBe(true);
    expect(target.startedAs).toMatch(/^process .*server\.mjs$/);
    const answer = await get(target, '/');
    const variables = answer.split(' ').filter((name) => name !== 'PATH' && name !== 'HOME');
    expect(
      variables.filter((name) => !name.startsWith('TSBT_') && name !== '__CF_USER_TEXT_ENCODING'),
    ).toEqual([]);
    expect(variables).toContain('TSBT_JWKS_FILE');
    await target.stop();
    await target.stop();
    expect(target.alive()).toBe(false);
    await allGone(target.log());
  });

  test('is named without the values of variables that it is given', async () => {
    const { start } = manifest(script('server.mjs'));
    if (start.kind !== 'process') throw new Error('the fixture is a process');
    const command = ['env', 'API_KEY=s3cret', ...start.command] as const;
    await using target = await startTarget(manifest({ ...start, command }), settings());
    expect(target.startedAs).toMatch(/^process env API_KEY=… .*server\.mjs$/);
  });

  test.each([['require-certificate'], ['require-certificate', 'tls1.2']])(
    'is ready though it wants a client certificate: %s %s',
    async (...faults) => {
      await using target = await startTarget(manifest(script('server.mjs', ...faults)), settings());
      expect(target.alive()).toBe(true);
    },
  );

  test('that ends by itself is noticed', async () => {
    await using target = await startTarget(manifest(script('server.mjs')), settings());
    await get(target, '/crash').catch(() => undefined);
    expect(await target.ended).toBe("the target's process ended by itself with status 3");
    expect(target.alive()).toBe(false);
    await allGone(target.log());
  });

  test('that dies at start is a problem with its log', async () => {
    const problem = await problemOf(startTarget(manifest(script('dies.mjs')), settings()));
    expect(problem.kind).toBe('died');
    expect(problem.message).toContain('ended with status 1 before it answered');
    expect(problem.message).toContain('| no configuration');
    await allGone(problem.log);
  });

  test('that never listens is a problem when the time is up', async () => {
    const problem = await problemOf(
      startTarget(manifest(script('never-listens.mjs')), { ...settings(), readinessTimeoutMs: 400 }),
    );
    expect(problem.kind).toBe('never-listened');
    expect(problem.what).toMatch(/did not answer at 127\.0\.0\.1:\d+ within 400 ms: it refuses connections/);
    await allGone(problem.log);
  });

  test('that exits with status 127 does not play the role', async () => {
    const problem = await problemOf(startTarget(manifest(script('role-unsupported.mjs')), settings()));
    expect(problem.kind).toBe('role-unsupported');
    await allGone(problem.log);
  });

  test('that speaks plain HTTP is told so at once', async () => {
    const problem = await problemOf(startTarget(manifest(script('plain-http.mjs')), settings()));
    expect(problem.kind).toBe('not-tls');
    await allGone(problem.log);
  });

  test('whose program is not there is a problem that names it', async () => {
    const start: Start = { kind: 'process', command: ['./no-such-program'], directory: FIXTURES };
    const problem = await problemOf(startTarget(manifest(start), settings()));
    expect(problem.kind).toBe('cannot-start');
    expect(problem.what).toBe('cannot start ./no-such-program: there is no such program');
    expect(problem.remedy).toContain(FIXTURES);
  });

  test('that floods its log leaves the last lines, cut and harmless', async () => {
    await using target = await startTarget(manifest(script('server.mjs', 'flood')), settings());
    await vi.waitFor(() => expect(target.log().at(-1)).toBe('␛[31mred'));
    const lines = target.log();
    expect(lines.length).toBeLessThanOrEqual(MAX_LINES + 1);
    expect(lines[0]).toMatch(/^… \d+ earlier lines dropped …$/);
    expect(lines.at(-2)).toBe(`${'y'.repeat(MAX_LINE)}…`);
  });

  test('that ignores SIGTERM is killed after the grace period', async () => {
    const target = await startTarget(manifest(script('server.mjs', 'ignore-sigterm')), {
      ...settings(),
      stopGraceMs: 200,
    });
    await target.stop();
    expect(target.log()).toContain('SIGTERM ignored');
    await allGone(target.log());
  });

  test('takes the processes with it that it started', async () => {
    const target = await startTarget(manifest(script('server.mjs', 'grandchild')), settings());
    expect(pids(target.log())).toHaveLength(2);
    await target.stop();
    await allGone(target.log());
  });

  test('whose port was taken by another server says so', async () => {
    const other = createServer({ key: pki.mallory.privateKey, cert: pki.mallory.chain });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await using environment = await environmentOf(manifest(script('server.mjs')), port);
    const start = script('server.mjs');
    const problem = await problemOf(
      startProcessTarget(manifest(start), start, environment.variables, {
        host: '127.0.0.1',
        port,
        certificate: pki.server.certificate,
        readinessTimeoutMs: 5000,
        stopGraceMs: 1000,
      }),
    );
    other.close();
    other.closeAllConnections();
    expect(problem.kind).toBe('died');
    expect(problem.what).toContain(`port ${port} was already in use`);
    expect(problem.log.join('\n')).toContain('EADDRINUSE');
    await allGone(problem.log);
  });

  test.runIf(process.platform === 'linux')(
    'that speaks plain HTTP is not taken for another program on its port',
    async () => {
      const other = createTcpServer((socket) => socket.destroy());
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const start = script('plain-http.mjs');
      await using environment = await environmentOf(manifest(start), port);
      const problem = await problemOf(
        startProcessTarget(manifest(start), start, environment.variables, {
          host: '127.0.0.1',
          port,
          certificate: null,
          readinessTimeoutMs: 5000,
          stopGraceMs: 1000,
        }),
      );
      other.close();
      expect(problem.kind).toBe('died');
      expect(problem.what).toContain(`port ${port} was already in use`);
    },
  );

  test('does not outlive a harness that exits', async () => {
    const harness = spawn(process.execPath, [join(FIXTURES, 'exiting-harness.mjs')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(harness.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(gone(pid)).toBe(false);
    harness.stdin.end('exit\n');
    await once(harness, 'exit');
    await vi.waitFor(() => expect(gone(pid)).toBe(true));
  });
});

test('the files given to a target are private and removed at the end', async () => {
  const environment = await environmentOf(manifest(script('server.mjs')));
  const key = environment.variables['TSBT_TLS_KEY_FILE'] ?? '';
  expect(statSync(dirname(key)).mode & 0o777).toBe(0o700);
  expect(statSync(key).mode & 0o777).toBe(0o600);
  expect(readFileSync(key, 'utf8')).toBe(pki.server.privateKey);
  await environment[Symbol.asyncDispose]();
  expect(existsSync(dirname(key))).toBe(false);
});

test('introspection is for targets that claim it', async () => {
  const plain = manifest(script('server.mjs'));
  await using without = await environmentOf(plain);
  expect(Object.keys(without.variables).filter((name) => name.includes('INTROSPECTION'))).toEqual([]);
  const claiming = { ...plain, capabilities: [...plain.capabilities, 'introspection' as const] };
  await using environment = await environmentOf(claiming);
  expect(environment.variables).toMatchObject({
    TSBT_INTROSPECTION_URL: 'https://127.0.0.1:1/introspect',
    TSBT_INTROSPECTION_CLIENT_ID: 'rs',
    TSBT_INTROSPECTION_CLIENT_SECRET: 'secret',
  });
});

describe('a module target', () => {
  const start: Start = { kind: 'module', module: join(FIXTURES, 'module.mjs') };

  test('is started in this process and stopped', async () => {
    const target = await startTarget(manifest(start), settings());
    expect(target.startedAs).toBe(`module ${relative(process.cwd(), start.module)}`);
    expect(target.log()).toEqual(['listening', 'well']);
    await target.stop();
    expect(target.alive()).toBe(false);
    const again = await problemOf(
      startTarget(manifestForUrl(`https://127.0.0.1:${target.port}`, 'resource-server'), {
        ...settings(),
        readinessTimeoutMs: 200,
      }),
    );
    expect(again.kind).toBe('unreachable');
  });

  test.each([
    ['throws', 'died', 'no configuration'],
    ['role', 'role-unsupported', 'resource-server'],
    ['hangs', 'never-listened', 'did not settle within 300 ms'],
    ['deaf', 'never-listened', 'nothing answers at 127.0.0.1:'],
  ])('that %s is a problem', async (fault, kind, words) => {
    const problem = await problemOf(
      startTarget(manifest(start), {
        ...settings(),
        issuer: `https://as.test/#${fault}`,
        readinessTimeoutMs: 300,
      }),
    );
    expect(problem.kind).toBe(kind);
    expect(problem.what).toContain(words);
  });

  test('that does not close is let go of after the grace period', async () => {
    const target = await startTarget(manifest(start), {
      ...settings(),
      issuer: 'https://as.test/#stays',
      stopGraceMs: 50,
    });
    await target.stop();
    expect(target.log().at(-1)).toBe('[tsbt] the module did not close within 50 ms');
  });

  test.each([
    ['no-start.mjs', 'exports no function named start'],
    ['missing.mjs', 'cannot be loaded'],
  ])('of %s is a problem', async (file, words) => {
    const problem = await problemOf(
      startTarget(manifest({ kind: 'module', module: join(FIXTURES, file) }), settings()),
    );
    expect(problem.kind).toBe('cannot-start');
    expect(problem.what).toContain(words);
  });
});

describe('a url target', () => {
  test('is reached, and left running', async () => {
    await using running = await startTarget(manifest(script('server.mjs')), settings());
    const url = `https://localhost:${running.port}`;
    const target = await startTarget(manifestForUrl(url, 'resource-server'), settings());
    expect(target).toMatchObject({ host: 'localhost', port: running.port, startedAs: `url ${url}` });
    await target.stop();
    expect(await get(running, '/')).toContain('TSBT_ROLE');
  });

  test('that is not there is a problem that says what to do', async () => {
    const url = `https://127.0.0.1:${await freePort()}`;
    const problem = await problemOf(
      startTarget(manifestForUrl(url, 'resource-server'), { ...settings(), readinessTimeoutMs: 200 }),
    );
    expect(problem.kind).toBe('unreachable');
    expect(problem.what).toBe(`no answer from ${url} within 200 ms: it refuses connections`);
    expect(problem.remedy).toBe('Start the server, or correct the URL.');
  });
});

function script(name: string, ...faults: string[]): Extract<Start, { kind: 'process' }> {
  return { kind: 'process', command: [process.execPath, name, ...faults], directory: FIXTURES };
}

async function environmentOf(target: Manifest, port = 1): Promise<EnvironmentFolder> {
  return writeEnvironment(promised(target, settings(), { listen: `127.0.0.1:${port}`, publicPort: port }));
}

function manifest(start: Start): Manifest {
  return { ...manifestForUrl('https://127.0.0.1', 'resource-server'), name: 'fixture', start };
}

function settings(): TargetSettings {
  return {
    serverIdentity: pki.server,
    clientAuthorities: pki.trusted.certificate,
    serverAuthorities: pki.trusted.certificate,
    issuer: 'https://as.tsbt.test',
    audience: 'https://rs.tsbt.test',
    jwks: { keys: [] },
    introspection: { url: 'https://127.0.0.1:1/introspect', clientId: 'rs', clientSecret: 'secret' },
    readinessTimeoutMs: 10_000,
    stopGraceMs: 2000,
  };
}

async function problemOf(starting: Promise<Target>): Promise<TargetProblem> {
  const outcome: unknown = await starting.then(
    async (target) => target.stop(),
    (error: unknown) => error,
  );
  if (outcome instanceof TargetProblem) return outcome;
  throw new Error('expected a TargetProblem', { cause: outcome });
}

async function get(target: Target, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const outgoing = request(
    { host: target.host, port: target.port, path, ca: pki.trusted.certificate, agent: false },
    (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve(body));
    },
  );
  outgoing.on('error', reject).end();
  return promise;
}

/** The process ids that a fixture wrote to its log. */
function pids(log: readonly string[]): number[] {
  return log.flatMap((line) => /^pid (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}

async function allGone(log: readonly string[]): Promise<void> {
  expect(pids(log)).not.toEqual([]);
  await vi.waitFor(() => expect(pids(log).filter((pid) => !gone(pid))).toEqual([]));
}

/** Whether a process has ended; one that nobody has reaped yet has. */
function gone(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return !existsSync(`/proc/${pid}`) && existsSync('/proc/self');
  }
}
