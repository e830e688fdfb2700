import { Argument, Command, Option } from 'commander';
import { startOpposite } from '../run/opposite.ts';
import { EMBEDDED } from '../target/embedded.ts';
import { loadManifest } from '../target/manifest.ts';
import { httpsProblem } from '../target/manifest-schema.ts';
import { startTarget } from '../target/start.ts';
import { TargetProblem } from '../target/target.ts';
import type { Target } from '../target/target.ts';
import { UsageError } from '../usage-error.ts';

interface ServeOptions {
  readonly upstream?: string;
  readonly proofClaims: 'connection' | 'request';
}

/** `tsbt serve resource-server|client` */
export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'run a reference implementation until Ctrl-C, configured with the certificates of `tsbt pki export`',
    )
    .addArgument(
      new Argument('<role>', 'which: client is the reference sidecar').choices(['resource-server', 'client']),
    )
    .option('--upstream <url>', 'https://host:port of the resource server that the client calls')
    .addOption(
      new Option('--proof-claims <which>', 'claims of the client’s proofs')
        .choices(['connection', 'request'])
        .default('connection'),
    )
    .action(async (role: 'resource-server' | 'client', options: ServeOptions) => {
      try {
        await using serving = await (role === 'client' ? serveClient(options) : serveResourceServer());
        process.stdout.write(`${serving.words}\nCtrl-C ends it.\n`);
        await interruption();
      } catch (error) {
        if (error instanceof TargetProblem) throw new UsageError(error.target, error.what, error.remedy);
        throw error;
      }
    });
}

/** A reference that runs, and what to tell its user. */
interface Serving extends AsyncDisposable {
  readonly words: string;
}

async function serveResourceServer(): Promise<Serving> {
  await using stack = new AsyncDisposableStack();
  const opposite = stack.use(await startOpposite());
  const manifest = await loadManifest(EMBEDDED['resource-server']);
  const target: Target = stack.use(await opposite.start(manifest));
  const words = [
    `${manifest.title} listens on https://localhost:${target.port}${manifest.paths.protected}`,
    `Try it:  npx tsbt run --url https://localhost:${target.port}`,
    'Its certificates: npx tsbt pki export DIR',
  ];
  return serving(words, stack.move());
}

async function serveClient({ upstream, proofClaims }: ServeOptions): Promise<Serving> {
  const wrong = upstream === undefined ? 'is missing' : httpsProblem(upstream);
  if (upstream === undefined || wrong !== undefined)
    throw new UsageError(
      '--upstream',
      wrong ?? 'is missing',
      'Give the resource server that the client calls, such as --upstream https://localhost:8443.',
    );
  await using stack = new AsyncDisposableStack();
  const { store } = stack.use(await startOpposite());
  const manifest = await loadManifest(EMBEDDED.client);
  const target: Target = stack.use(
    await startTarget(manifest, {
      clientIdentity: store.alice['P-256'],
      serverAuthorities: store.trusted.certificate,
      upstream,
      proofClaims,
    }),
  );
  const words = [
    `${manifest.title} listens on http://localhost:${target.port} and calls ${upstream}`,
    `Try it:  curl -H "Authorization: Bearer $TOKEN" http://localhost:${target.port}/resource`,
    'Its certificate, and the authority that it trusts: npx tsbt pki export DIR',
  ];
  return serving(words, stack.move());
}

function serving(words: readonly string[], stack: AsyncDisposableStack): Serving {
  return { words: words.join('\n'), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Resolves at SIGINT or SIGTERM. */
function interruption(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
  return promise;
}
