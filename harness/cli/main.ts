import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { UsageError } from '../usage-error.ts';

const { name, version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly name: string; readonly version: string };

/** The tool's name and version, as reports carry them. */
export const TOOL = { name, version };

/** Each command by its name, loaded when it is asked for: all of them together take longer to load than some to run. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['run', async () => (await import('./run.ts')).runCommand(TOOL)],
  ['list', async () => (await import('./list.ts')).listCommand()],
  ['explain', async () => (await import('./explain.ts')).explainCommand()],
  ['mutants', async () => (await import('./mutants.ts')).mutantsCommand()],
  ['chain', async () => (await import('./chain.ts')).chainCommand()],
  ['matrix', async () => (await import('./matrix.ts')).matrixCommand(TOOL)],
  ['pki', async () => (await import('./pki.ts')).pkiCommand()],
  ['serve', async () => (await import('./serve.ts')).serveCommand()],
]);

/** The command that is named first, or all of them where none is, for the help and for the nearest of a misspelt name. */
async function commandsFor(argv: readonly string[]): Promise<readonly Command[]> {
  const named = COMMANDS.get(argv[2] ?? '');
  return Promise.all((named === undefined ? [...COMMANDS.values()] : [named]).map((load) => load()));
}

/**
 * The command line `tsbt`. Sets the process's exit code; a mistake of the user's is a message with its remedy
 * and exit code 2, a fault of the harness's own a stack trace and exit code 4.
 *
 * @param argv as in `process.argv`
 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('tsbt')
    .description(
      'Conformance tests for TLS-session-bound OAuth access tokens (draft-mw-oauth-tls-session-bound-tokens)',
    )
    .version(version)
    .showHelpAfterError('(see tsbt --help)')
    .exitOverride();
  for (const command of await commandsFor(argv)) {
    program.addCommand(command.exitOverride().showHelpAfterError(`(see tsbt ${command.name()} --help)`));
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 2;
    } else {
      process.stderr.write(
        `tsbt failed; this is a fault of the harness, please report it:\n${error instanceof Error ? error.stack : String(error)}\n`,
      );
      process.exitCode = 4;
    }
  }
}
