import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { UsageError } from '../usage-error.ts';
import { chainCommand } from './chain.ts';
import { matrixCommand } from './matrix.ts';
import { explainCommand } from './explain.ts';
import { listCommand } from './list.ts';
import { mutantsCommand } from './mutants.ts';
import { pkiCommand } from './pki.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';

const { name, version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { readonly name: string; readonly version: string };

/** The tool's name and version, as reports carry them. */
export const TOOL = { name, version };

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
  for (const command of [
    runCommand(TOOL),
    listCommand(),
    explainCommand(),
    mutantsCommand(),
    chainCommand(),
    matrixCommand(TOOL),
    pkiCommand(),
    serveCommand(),
  ]) {
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
