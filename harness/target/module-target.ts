import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LATE, within } from './bounded.ts';
import type { TargetEnvironment } from './environment.ts';
import { LogRing } from './log-ring.ts';
import type { Manifest } from './manifest.ts';
import { ROLE_UNSUPPORTED, type Expectation } from './running.ts';
import { greet, knock } from './readiness.ts';
import { TargetProblem, type StartedTarget } from './target.ts';

/** What a target module's `start` resolves to once it listens: something that can be ended. */
type RunningModule = ({ close(): Promise<unknown> } | AsyncDisposable) & {
  /** Reads its certificate and key files again; where it has `certificate-rotation`. */
  reload?(): unknown;
};

/** What a target module is given beside its environment. */
interface ModuleContext {
  /** Which of its variants to start, for a module that has several. */
  readonly variant?: string;
  log(line: string): void;
}

/**
 * What a target module exports. `environment` has the variables of the target contract; a line given to
 * `context.log` is shown beside failing scenarios. An error with `exitCode` 127 says that the role is not supported.
 */
interface TargetModule {
  start(environment: TargetEnvironment, context: ModuleContext): Promise<RunningModule>;
}

/**
 * Starts a target inside this process.
 *
 * @param path absolute path of a module that exports `start` ({@link TargetModule})
 * @throws {TargetProblem} when it cannot be loaded or started, or does not answer TLS in time
 */
export async function startModuleTarget(
  manifest: Manifest,
  path: string,
  environment: TargetEnvironment,
  expectation: Expectation,
): Promise<StartedTarget> {
  const log = new LogRing();
  const problem = (kind: TargetProblem['kind'], what: string, remedy: string): TargetProblem =>
    new TargetProblem(kind, manifest.name, what, remedy, log.lines());
  const { host, port, readinessTimeoutMs } = expectation;

  let module: Partial<TargetModule>;
  try {
    module = (await import(pathToFileURL(path).href)) as Partial<TargetModule>;
  } catch (error) {
    throw problem(
      'cannot-start',
      `the module ${path} cannot be loaded: ${messageOf(error)}`,
      'Correct start.module, or the module.',
    );
  }
  if (typeof module.start !== 'function')
    throw problem(
      'cannot-start',
      `the module ${path} exports no function named start`,
      'Export start(environment) from it.',
    );

  const { start } = module;
  // An async wrapper, for a start() that throws at once instead of rejecting.
  const { variant } = manifest.start.kind === 'module' ? manifest.start : {};
  const context: ModuleContext = {
    ...(variant === undefined ? {} : { variant }),
    log: (line) => {
      for (const part of line.split('\n')) log.add(part);
    },
  };
  const starting = (async () => start(environment, context))();
  let running: RunningModule | typeof LATE;
  try {
    running = await within(starting, readinessTimeoutMs);
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error && error.exitCode === ROLE_UNSUPPORTED)
      throw problem(
        'role-unsupported',
        `it does not play the role ${manifest.role}`,
        'Correct role in the manifest.',
      );
    throw problem('died', `start() of ${path} failed: ${messageOf(error)}`, 'The message says why.');
  }
  if (running === LATE) {
    // Should it come up after all, it is ended at once.
    starting.then(end, () => undefined).catch(() => undefined);
    throw problem(
      'never-listened',
      `start() of ${path} did not settle within ${readinessTimeoutMs} ms`,
      'It must resolve once the target listens.',
    );
  }
  const plain = expectation.certificate === null;
  const greeting = await (plain ? knock : greet)(host, port, readinessTimeoutMs);
  if (greeting.type !== (plain ? 'accepted' : 'handshake') && greeting.type !== 'alert') {
    await within(end(running), expectation.stopGraceMs).catch(() => undefined);
    if (greeting.type === 'not-tls')
      throw problem(
        'not-tls',
        `${host}:${port} answers, but not with TLS`,
        'The target must serve HTTPS at TSBT_LISTEN.',
      );
    throw problem(
      'never-listened',
      `start() resolved, but nothing answers at ${host}:${port}`,
      'The target must listen on the host:port in TSBT_LISTEN.',
    );
  }
  return new ModuleTarget(manifest, path, running, log, expectation);
}

class ModuleTarget implements StartedTarget {
  readonly manifest: Manifest;
  readonly host: string;
  readonly port: number;
  readonly startedAs: string;
  /** A module ends only when it is stopped, or with this process. */
  readonly ended = new Promise<string>(() => undefined);
  readonly #running: RunningModule;
  readonly #log: LogRing;
  readonly #graceMs: number;
  #stopping: Promise<void> | undefined;

  constructor(
    manifest: Manifest,
    path: string,
    running: RunningModule,
    log: LogRing,
    expectation: Expectation,
  ) {
    this.manifest = manifest;
    this.host = expectation.host;
    this.port = expectation.port;
    this.startedAs = `module ${relative(process.cwd(), path)}`;
    this.#running = running;
    this.#log = log;
    this.#graceMs = expectation.stopGraceMs;
  }

  log(): readonly string[] {
    return this.#log.lines();
  }

  alive(): boolean {
    return this.#stopping === undefined;
  }

  async reload(): Promise<void> {
    await this.#running.reload?.();
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#end();
    await this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<void> {
    try {
      if ((await within(end(this.#running), this.#graceMs)) === LATE)
        this.#log.add(`[tsbt] the module did not close within ${this.#graceMs} ms`);
    } catch (error) {
      this.#log.add(`[tsbt] closing the module failed: ${messageOf(error)}`);
    }
  }
}

async function end(running: RunningModule): Promise<void> {
  if ('close' in running) await running.close();
  else await running[Symbol.asyncDispose]();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
