/**
 * Needs a container engine, and the base image of the fixture (or a registry to pull it from). Without an engine these
 * tests are skipped, unless TSBT_REQUIRE_CONTAINERS=1 makes its absence a failure.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPki } from '../../certs/pki.ts';
import type { Pki } from '../../certs/pki.ts';
import { issue } from '../../certs/issue.ts';
import { containerEngine } from './container-engine.ts';
import type { Engine } from './container-engine.ts';
import { manifestForUrl } from './manifest.ts';
import type { Manifest, Start } from './manifest.ts';
import { startTarget, vantageOf } from './start.ts';
import { TargetProblem } from './target.ts';
import type { ClientSettings, ServerSettings } from './target.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/container', import.meta.url));
const BROKEN = fileURLToPath(new URL('fixtures/container-broken', import.meta.url));

const engine = await containerEngine().catch((error: unknown) => String(error));
if (process.env['TSBT_REQUIRE_CONTAINERS'] === '1' && typeof engine === 'string')
  throw new Error(`TSBT_REQUIRE_CONTAINERS is set, and ${engine}`);
if (typeof engine === 'string') console.warn(`Not run: tests of targets in containers. ${engine}`);

let pki: Pki;

beforeAll(async () => {
  pki = await createPki();
});

describe.skipIf(typeof engine === 'string')('a target in a container', { timeout: 60_000 }, () => {
  test('is built, reached through TLS, given its files, and removed', async () => {
    const target = await startTarget(manifest(), settings());
    expect(target.host).toBe('127.0.0.1');
    expect(target.startedAs).toMatch(/^container tsbt-target-container-fixture:[0-9a-f]{12}$/);
    expect(await certificateAt(target.port)).toBe(pki.server.certificate);
    await vi.waitFor(() => expect(target.log()).toContain('listening as 65534'));
    expect(target.alive()).toBe(true);
    expect(await ours()).toHaveLength(1);
    await target.stop();
    expect(target.alive()).toBe(false);
    expect(await ours()).toEqual([]);
  });

  test('is reached on loopback only, and has bounds', async () => {
    await using target = await startTarget(manifest({ memory: 300 }), settings());
    const [{ Id } = { Id: '' }] = await ours();
    const { HostConfig, NetworkSettings } = await docker().getContainer(Id).inspect();
    expect(NetworkSettings.Ports['8443/tcp']).toEqual([
      { HostIp: '127.0.0.1', HostPort: String(target.port) },
    ]);
    expect(HostConfig).toMatchObject({
      Memory: 300 * 1024 * 1024,
      MemorySwap: 300 * 1024 * 1024,
      NanoCpus: 2e9,
      PidsLimit: 256,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
    });
  });

  test('reads another certificate when it is given one', async () => {
    await using target = await startTarget(manifest(), settings());
    const { certificate, ...identity } = await issue(pki.trusted, {
      name: 'next',
      keyType: 'P-256',
      dns: ['localhost'],
    });
    await target.rotate?.({ certificate, ...identity });
    await vi.waitFor(async () => expect(await certificateAt(target.port)).toBe(certificate), 5000);
  });

  test('that speaks plain HTTP is ready when it answers, not when its port is published', async () => {
    await using target = await startTarget({ ...manifest(), role: 'client' }, clientSettings());
    expect(await bodyAt(target.port)).toBe('served');
  });

  test('may be an image that is there already', async () => {
    await using built = await startTarget(manifest(), settings());
    const image = built.startedAs.replace('container ', '');
    const again = { ...manifest(), start: { kind: 'container', image, port: 8443 } as const };
    await using target = await startTarget(again, settings());
    expect(target.manifest.start).toMatchObject({ image });
  });

  test('calls the suite under a name that leads to where the suite listens', async () => {
    const vantage = await vantageOf(manifest());
    expect(vantage.name).toBe('host.docker.internal');
    expect(vantage.address).not.toBe('0.0.0.0');
  });

  test.each([
    ['no-role', 'role-unsupported', 'exited with status 127: it does not play the role resource-server', ''],
    ['crash', 'died', 'ended with status 3 before it answered', 'nothing works today'],
  ])('that ends at once (%s) says why', async (fault, kind, what, line) => {
    const problem = await problemOf(manifest({ command: [fault] }));
    expect(problem).toMatchObject({ kind, what });
    expect(problem.log.join('\n')).toContain(line);
    expect(await ours()).toEqual([]);
  });

  test('that needs more memory than it may have says so', async () => {
    const problem = await problemOf(manifest({ command: ['greedy'], memory: 64 }));
    expect(problem.kind).toBe('died');
    expect(problem.what).toContain('it needed more than its 64 MiB of memory');
  });

  test('that never listens is ended', async () => {
    const problem = await problemOf(manifest({ command: ['deaf'] }), 1500);
    expect(problem.kind).toBe('never-listened');
    expect(await ours()).toEqual([]);
  });

  test('whose image does not exist says so', async () => {
    const image = 'tsbt.invalid/nothing:1';
    const problem = await problemOf({ ...manifest(), start: { kind: 'container', image, port: 8443 } });
    expect(problem.kind).toBe('cannot-start');
    expect(problem.what).toContain(image);
  });

  test('whose image cannot be built shows what the builder said', async () => {
    const problem = await problemOf(manifest({ build: BROKEN }));
    expect(problem.kind).toBe('cannot-start');
    expect(problem.what).toContain('its image cannot be built from harness/target/fixtures/container-broken');
    expect(problem.log.join('\n')).toContain('nothing compiles today');
  });

  test('does not outlive a harness that is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tsbt-container-'));
    const file = join(folder, 'target.yaml');
    await writeFile(
      file,
      `name: killed\ntitle: Killed\nrole: resource-server\nstart: { container: { build: ${JSON.stringify(FIXTURE)}, port: 8443 } }\n`,
    );
    const harness = spawn(
      process.execPath,
      [fileURLToPath(new URL('fixtures/container-harness.ts', import.meta.url)), file],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(harness.stdout, 'data');
    expect(await ours(harness.pid)).toHaveLength(1);
    harness.kill('SIGKILL');
    await vi.waitFor(async () => expect(await ours(harness.pid)).toEqual([]), {
      timeout: 20_000,
      interval: 100,
    });
    await rm(folder, { recursive: true });
  });

  afterAll(() => {
    execFileSync('sh', ['-c', 'docker images -q tsbt-target-container-fixture | xargs -r docker rmi -f'], {
      stdio: 'ignore',
    });
  });
});

test('without an engine a target in a container is not run, and the run says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tsbt-container-'));
  const file = join(folder, 'target.yaml');
  await writeFile(
    file,
    'name: nowhere\ntitle: Nowhere\nrole: resource-server\nstart: { container: { image: x, port: 1 } }\n',
  );
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const cli = join(root, 'harness/cli.ts');
  const embedded = join(root, 'targets/reference/target.yaml');
  const outcomeOf = async (...options: readonly string[]): Promise<{ code: unknown; text: string }> => {
    const child = spawn(
      process.execPath,
      [
        cli,
        'run',
        file,
        embedded,
        '--scenario',
        'RS-EKM-1',
        '--out',
        join(folder, `out${options.join('')}`),
        ...options,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, DOCKER_HOST: 'unix:///nowhere.sock' } },
    );
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const [code] = (await once(child, 'close')) as [unknown];
    return { code, text };
  };
  const [lenient, strict] = await Promise.all([outcomeOf(), outcomeOf('--require-containers')]);
  expect(lenient.text).toContain('nowhere: not run: no container engine answers at /nowhere.sock');
  expect([lenient.code, strict.code]).toEqual([0, 4]);
  await rm(folder, { recursive: true });
}, 60_000);

function docker(): Engine['docker'] {
  if (typeof engine === 'string') throw new Error(engine);
  return engine.docker;
}

/** The containers that a process owns. */
async function ours(pid: number | undefined = process.pid): Promise<readonly { readonly Id: string }[]> {
  const all = await docker().listContainers({ all: true, filters: { label: ['tsbt.owner'] } });
  return all.filter(({ Labels }) => Labels['tsbt.owner']?.split(':')[1] === String(pid));
}

async function problemOf(target: Manifest, readinessTimeoutMs?: number): Promise<TargetProblem> {
  try {
    const started = await startTarget(target, {
      ...settings(),
      ...(readinessTimeoutMs === undefined ? {} : { readinessTimeoutMs }),
    });
    await started.stop();
  } catch (error) {
    if (error instanceof TargetProblem) return error;
    throw error;
  }
  throw new Error('it started');
}

async function certificateAt(port: number): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate()?.toString();
  socket.destroy();
  return certificate;
}

async function bodyAt(port: number): Promise<string> {
  const request = plainRequest({ host: '127.0.0.1', port });
  request.end();
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  let text = '';
  for await (const chunk of response) text += chunk.toString();
  return text;
}

function manifest(start: Partial<Extract<Start, { kind: 'container' }>> = {}): Manifest {
  return {
    ...manifestForUrl('https://127.0.0.1', 'resource-server'),
    name: 'container-fixture',
    start: { kind: 'container', build: FIXTURE, port: 8443, ...start },
  };
}

function settings(): ServerSettings {
  return {
    serverIdentity: pki.server,
    clientAuthorities: pki.trusted.certificate,
    serverAuthorities: pki.trusted.certificate,
    issuer: 'https://issuer.test',
    audience: 'https://rs.test',
    jwks: { keys: [] },
  };
}

function clientSettings(): ClientSettings {
  return {
    clientIdentity: pki.alice['P-256'],
    serverAuthorities: pki.trusted.certificate,
    upstream: 'https://localhost:9',
    proofClaims: 'connection',
  };
}
