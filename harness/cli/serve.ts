import { Argument, Command } from 'commander';
import { startOpposite } from '../run/opposite.ts';
import { EMBEDDED } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import { TargetProblem } from '../target/target.ts';
import { UsageError } from '../usage-error.ts';

/** `tsbt serve resource-server` */
export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'run a reference implementation until Ctrl-C, configured with the certificates of `tsbt pki export`',
    )
    .addArgument(new Argument('<role>', 'which').choices(['resource-server']))
    .action(async () => {
      await using opposite = await startOpposite();
      const manifest = await loadManifest(EMBEDDED);
      try {
        await using target = await opposite.start(manifest);
        process.stdout.write(
          `${manifest.title} listens on https://localhost:${target.port}${manifest.paths.protected}\n` +
            `Try it:  npx tsbt run --url https://localhost:${target.port}\n` +
            `Its certificates: npx tsbt pki export DIR\n` +
            'Ctrl-C ends it.\n',
        );
        await interruption();
      } catch (error) {
        if (error instanceof TargetProblem) throw new UsageError(error.target, error.what, error.remedy);
        throw error;
      }
    });
}

/** Resolves at SIGINT or SIGTERM. */
function interruption(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
  return promise;
}
