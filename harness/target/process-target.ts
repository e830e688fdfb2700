import type { TargetEnvironment } from './environment.ts';
import type { Manifest, Start } from './manifest.ts';
import { ProcessGroup } from './process-group.ts';
import { describeExit, untilItAnswers, type Expectation } from './running.ts';
import { TargetProblem, type StartedTarget } from './target.ts';

/**
 * Starts a target as a child process and waits until it answers.
 *
 * @throws {TargetProblem} after everything that was started has been ended
 */
export async function startProcessTarget(
  manifest: Manifest,
  start: Extract<Start, { kind: 'process' }>,
  environment: TargetEnvironment,
  expectation: Expectation,
): Promise<StartedTarget> {
  const group = await run(manifest, start, environment, expectation);
  try {
    await untilItAnswers(manifest, group, expectation);
  } catch (error) {
    await group.stop();
    throw error;
  }
  return new ProcessTarget(manifest, start, group, expectation);
}

class ProcessTarget implements StartedTarget {
  readonly manifest: Manifest;
  readonly host: string;
  readonly port: number;
  readonly startedAs: string;
  readonly ended: Promise<string>;
  readonly #group: ProcessGroup;
  #stopping: Promise<void> | undefined;

  constructor(
    manifest: Manifest,
    start: Extract<Start, { kind: 'process' }>,
    group: ProcessGroup,
    expectation: Expectation,
  ) {
    this.manifest = manifest;
    this.host = expectation.host;
    this.port = expectation.port;
    this.startedAs = `process ${start.command.map(withoutValue).join(' ')}`;
    this.#group = group;
    this.ended = new Promise((resolve) => {
      void group.exited.then((exit) => {
        if (this.#stopping === undefined)
          resolve(`the target's process ended by itself with ${describeExit(exit)}`);
      });
    });
  }

  log(): readonly string[] {
    return this.#group.log.lines();
  }

  alive(): boolean {
    return this.#stopping === undefined && this.#group.exit === undefined;
  }

  /** Tells the target to read its certificate and key files again. */
  async reload(): Promise<void> {
    this.#group.hangUp();
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#group.stop();
    await this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** `NAME=value`, which a manifest gives with `env`, may be a secret, and this text stands in reports. */
function withoutValue(word: string): string {
  return word.replace(/^([A-Za-z_]\w*)=.+$/s, '$1=…');
}

async function run(
  manifest: Manifest,
  start: Extract<Start, { kind: 'process' }>,
  environment: TargetEnvironment,
  expectation: Expectation,
): Promise<ProcessGroup> {
  // Nothing else of this process's environment: a target must not depend on what happens to be set here.
  const inherited = ['PATH', 'HOME'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  try {
    return await ProcessGroup.spawn(start.command, {
      directory: start.directory,
      environment: { ...Object.fromEntries(inherited), ...environment },
      graceMs: expectation.stopGraceMs,
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const [program] = start.command;
    const why =
      code === 'ENOENT' ? 'there is no such program' : code === 'EACCES' ? 'it may not be executed' : code;
    throw new TargetProblem(
      'cannot-start',
      manifest.name,
      `cannot start ${program}: ${why}`,
      `Correct start.process.command; a relative path is taken from ${start.directory}.`,
    );
  }
}
