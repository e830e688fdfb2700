import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { LogRing } from './log-ring.ts';
import type { Manifest, Start } from './manifest.ts';
import { TargetProblem } from './target.ts';

const run = promisify(execFile);

/** An image may be compiled from source, with all that it takes installed first. */
const BUILD_TIMEOUT_MS = 30 * 60_000;
const MOST_OUTPUT = 64 * 1024 * 1024;

const built = new Map<string, Promise<string>>();

/**
 * Builds the image of a target from its folder, with the engine's command: once in a process. The engine's own cache
 * knows what has changed since the last one, and an image that is out of date would be judged for what is not there any more.
 *
 * @returns the name of the image, with the image's id in it
 * @throws {TargetProblem} with the builder's last lines when it cannot be built
 */
export async function buildImage(
  { name }: Pick<Manifest, 'name'>,
  { build, dockerfile }: Extract<Start, { kind: 'container' }>,
): Promise<string> {
  const folder = build ?? '.';
  const file = dockerfile ?? join(folder, 'Dockerfile');
  const key = [name, folder, file].join('\0');
  const image = built.get(key) ?? buildFrom(name, folder, file);
  built.set(key, image);
  return image;
}

async function buildFrom(name: string, folder: string, file: string): Promise<string> {
  const own = await mkdtemp(join(tmpdir(), 'tsbt-image-'));
  try {
    const idFile = join(own, 'id');
    await run(
      'docker',
      ['build', '--force-rm', '--iidfile', idFile, '--label', `tsbt.target=${name}`, '--file', file, folder],
      { timeout: BUILD_TIMEOUT_MS, maxBuffer: MOST_OUTPUT },
    );
    const id = (await readFile(idFile, 'utf8')).trim();
    const image = `tsbt-target-${name}:${id.replace(/^sha256:/, '').slice(0, 12)}`;
    await run('docker', ['tag', id, image]);
    await removeOlder(name, image);
    return image;
  } catch (error) {
    throw unbuildable(name, relative('.', file), error);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Images that the folder gave before. One that a container still runs from stays. */
async function removeOlder(name: string, image: string): Promise<void> {
  const { stdout } = await run('docker', [
    'image',
    'ls',
    '--format',
    '{{.Repository}}:{{.Tag}}',
    `tsbt-target-${name}`,
  ]);
  const older = stdout
    .split('\n')
    .filter((line) => line !== '' && line !== image && !line.endsWith(':<none>'));
  if (older.length > 0) await run('docker', ['rmi', ...older]).catch(() => undefined);
}

function unbuildable(name: string, file: string, error: unknown): TargetProblem {
  const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
  if (code === 'ENOENT')
    return new TargetProblem(
      'cannot-start',
      name,
      'there is no docker command to build its image with',
      'Install the docker command, or build the image elsewhere and name it with start.container.image.',
    );
  const log = new LogRing();
  for (const line of `${stdout ?? ''}\n${stderr ?? ''}`.split('\n'))
    if (line.trim() !== '') log.add(line.trimEnd());
  return new TargetProblem(
    'cannot-start',
    name,
    `its image cannot be built from ${file}`,
    'The builder’s last lines say why; docker build gives them in full.',
    log.lines(),
  );
}
