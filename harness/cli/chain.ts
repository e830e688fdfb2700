import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { makeDirectory } from '../../certs/directory.ts';
import { renderStories } from '../../reports/html/story-page.ts';
import { jsonText } from '../../reports/json-text.ts';
import { startParties } from '../chain/parties.ts';
import type { ChainManifests } from '../chain/parties.ts';
import { tellStories } from '../chain/stories.ts';
import type { Story } from '../chain/story.ts';
import type { ExitCode } from '../run/exit-code.ts';
import type { Role } from '../scenario/record.ts';
import { EMBEDDED } from '../target/embedded.ts';
import type { EmbeddedRole } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import type { Manifest } from '../target/manifest.ts';
import { TargetProblem } from '../target/target.ts';
import { UsageError } from '../usage-error.ts';

interface ChainOptions {
  readonly authorizationServer?: string;
  readonly client?: string;
  readonly intermediary?: string;
  readonly resourceServer?: string;
  readonly out?: string;
}

/** `tsbt chain` */
export function chainCommand(): Command {
  return new Command('chain')
    .description(
      'play authorization server, client, intermediary and resource server together, with an attacker at each hop',
    )
    .option('--authorization-server <manifest>', 'instead of the reference')
    .option('--client <manifest>', 'instead of the reference')
    .option('--intermediary <manifest>', 'instead of the reference')
    .option('--resource-server <manifest>', 'instead of the reference')
    .option('--out <dir>', 'folder to write the stories into, as stories.json and index.html')
    .action(async (options: ChainOptions) => {
      process.exitCode = await chain(options);
    });
}

async function chain(options: ChainOptions): Promise<ExitCode> {
  const manifests: ChainManifests = {
    authorizationServer: await manifestOf('authorization-server', options.authorizationServer),
    client: await manifestOf('client', options.client),
    intermediary: await manifestOf('intermediary', options.intermediary),
    resourceServer: await manifestOf('resource-server', options.resourceServer),
  };
  try {
    await using parties = await startParties(manifests);
    const stories = await tellStories(parties);
    if (options.out !== undefined) await write(options.out, manifests, stories);
    process.stdout.write(told(stories));
    return stories.every(({ steps }) => steps.every(({ holds }) => holds)) ? 0 : 1;
  } catch (error) {
    if (error instanceof TargetProblem) throw new UsageError(error.target, error.what, error.remedy);
    throw error;
  }
}

/** @throws {UsageError} when the folder cannot be written */
async function write(out: string, manifests: ChainManifests, stories: readonly Story[]): Promise<void> {
  const cast = Object.fromEntries(Object.values(manifests).map(({ role, title }) => [role, title]));
  try {
    await makeDirectory(out);
    await writeFile(join(out, 'stories.json'), `${jsonText({ cast, stories }, 2)}\n`);
    await writeFile(join(out, 'index.html'), renderStories({ cast, stories }));
  } catch (error) {
    throw new UsageError(
      '--out',
      `${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      'Give a folder that you may write with --out DIR.',
    );
  }
}

/** @throws {UsageError} when it cannot be read, or is of another role */
async function manifestOf(role: EmbeddedRole & Role, path: string | undefined): Promise<Manifest> {
  const manifest = await loadManifest(path ?? EMBEDDED[role]);
  if (manifest.role === role) return manifest;
  throw new UsageError(
    path ?? '',
    `is of the role ${manifest.role}`,
    `Give a manifest of the role ${role} here.`,
  );
}

function told(stories: readonly Story[]): string {
  const lines = stories.flatMap(({ threat, title, steps }) => [
    '',
    `${threat}: ${title}`,
    ...steps.map(
      ({ who, does, expected, outcome, holds }) =>
        `  ${holds ? '✓' : '✕'} ${who} ${does}: ${outcome}${holds ? '' : `, must be ${expected}`}`,
    ),
  ]);
  const steps = stories.flatMap((story) => story.steps);
  const broken = steps.filter(({ holds }) => !holds).length;
  return `${lines.join('\n')}\n\n${steps.length} steps, ${broken === 0 ? 'all as they must be' : `${broken} not as they must be`}\n`;
}
