import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, sessionBound, startBench } from '../test-bench/bench.ts';
import { clientEnvironment, sendTo } from './sidecar.fixture.ts';

const MAINS = ['main.ts', '../client-shim/main.ts'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
let bench: Bench;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

function run(main: string, environment: Readonly<Record<string, string | undefined>>) {
  const child = spawn(process.execPath, [main], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk));
  }
  return { child, output, ended: once(child, 'close') as Promise<[number | null]> };
}

test.each(MAINS)('%s serves as a process, reloads on SIGHUP, and stops on SIGTERM', async (main) => {
  const files = await clientEnvironment(bench);
  const { child, output, ended } = run(main, files.environment);
  try {
    await once(child.stdout, 'data');
    const send = sendTo(Number(/port (\d+)/.exec(output.text)?.[1]));
    expect(await send({ fields: ['Authorization', `Bearer ${await bench.mint()}`] })).toMatchObject({
      status: 200,
    });
    const { mallory } = bench.pki;
    await files.rotate(mallory);
    const { promise: reloaded, resolve } = Promise.withResolvers<void>();
    child.stderr.on('data', () => output.text.includes('read anew') && resolve());
    child.kill('SIGHUP');
    await reloaded;
    const renewed = await bench.mint({ cnf: sessionBound(mallory) });
    expect(await send({ fields: ['Authorization', `Bearer ${renewed}`] })).toMatchObject({ status: 200 });
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(output.text).not.toContain(renewed);
  } finally {
    child.kill('SIGKILL');
    await files.remove();
  }
});

test.each([
  [{ TSBT_ROLE: 'resource-server' }, 127, /only client is played here/],
  [{ TSBT_ROLE: 'client' }, 2, /^TSBT_LISTEN is not set\n$/],
  [{ TSBT_ROLE: 'client', TSBT_LISTEN: '0.0.0.0:0' }, 2, /TSBT_ALLOW_REMOTE_AGENTS=1/],
])('with %j it ends with status %i and one line', async (environment, status, message) => {
  const { output, ended } = run(MAINS[0] ?? '', environment);
  expect(await ended).toEqual([status, null]);
  expect(output.text).toMatch(message);
  expect(output.text.trim().split('\n')).toHaveLength(1);
});
