import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { accessToken, startAuthorizationServer } from './authorization-server.fixture.ts';
import type { RunningTarget } from './target.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

function run(environment: Environment) {
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

test('as a process it serves, logs refusals and nothing of its making, and stops on SIGTERM', async () => {
  const running: ReturnType<typeof run>[] = [];
  await using server = await startAuthorizationServer(async (environment): Promise<RunningTarget> => {
    const process = run(environment);
    running.push(process);
    await once(process.child.stdout, 'data');
    const close = async () => {
      process.child.kill('SIGKILL');
      await process.ended;
    };
    return { port: Number(/port (\d+)/.exec(process.output.text)?.[1]), close };
  });
  const [process] = running;
  const token = accessToken(await server.token('alice', server.identities.alice));
  expect((await server.token('alice', undefined)).status).toBe(401);
  process?.child.kill('SIGTERM');
  expect(await process?.ended).toEqual([0, null]);
  const lines = process?.output.text.trim().split('\n') ?? [];
  expect(lines[0]).toMatch(/^listening on port \d+$/);
  expect(lines.slice(1)).toEqual([expect.stringMatching(/^refused: 401 \/token invalid_client/)]);
  expect(process?.output.text).not.toContain(token);

  const { TSBT_CLIENTS_FILE: file = '' } = server.environment;
  await writeFile(file, '[{"client_id":"a","tls_session_bound_access_tokens":"yes"}]');
  const refused = run(server.environment);
  expect(await refused.ended).toEqual([2, null]);
  expect(refused.output.text).toBe('TSBT_CLIENTS_FILE: tls_session_bound_access_tokens must be a boolean\n');
});

test.each([
  [{ TSBT_ROLE: 'client' }, 127, /only authorization-server is played here/],
  [{ TSBT_ROLE: 'authorization-server' }, 2, /^TSBT_LISTEN is not set\n$/],
])('with %j it ends with status %i and one line', async (environment, status, message) => {
  const { output, ended } = run(environment);
  expect(await ended).toEqual([status, null]);
  expect(output.text).toMatch(message);
  expect(output.text.trim().split('\n')).toHaveLength(1);
});
