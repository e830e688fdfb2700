import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { credentials, startBench } from '../test-bench/bench.ts';
import { openLine } from '../test-bench/line.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

function run(environment: Readonly<Record<string, string | undefined>>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk));
  }
  return { child, output, ended: once(child, 'close') as Promise<[number | null]> };
}

test('as a process it serves, logs refusals, and stops on SIGTERM with a connection open', async () => {
  await using bench = await startBench();
  const { child, output, ended } = run(bench.environment);
  try {
    await once(child.stdout, 'data');
    const port = Number(/port (\d+)/.exec(output.text)?.[1]);
    const alice = bench.pki.alice['P-256'];
    await using line = await openLine({
      port,
      authority: bench.pki.trusted.certificate,
      identity: alice,
      http: 'http/1.1',
    });
    const token = await bench.mint();
    expect(await line.send({ fields: credentials(token, line, alice) })).toMatchObject({ status: 200 });
    expect(await line.send({})).toMatchObject({ status: 401 });
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(output.text).toContain('refused: 401 no token');
    expect(output.text).not.toContain(token);
  } finally {
    child.kill('SIGKILL');
  }
});

test.each([
  [{ TSBT_ROLE: 'client' }, 127, /only resource-server is played here/],
  [{ TSBT_ROLE: 'resource-server' }, 2, /^TSBT_LISTEN is not set\n$/],
])('with %j it ends with status %i and one line', async (environment, status, message) => {
  const { output, ended } = run(environment);
  expect(await ended).toEqual([status, null]);
  expect(output.text).toMatch(message);
  expect(output.text.trim().split('\n')).toHaveLength(1);
});
