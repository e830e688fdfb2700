import { spawn, type ChildProcess } from 'node:child_process';
import { within } from './bounded.ts';
import { listenerAt, type Listener } from './listener.ts';
import { LogRing } from './log-ring.ts';
import type { Exit, Running } from './running.ts';

/** Groups that must not outlive this process. */
const living = new Set<number>();

process.on('exit', () => {
  for (const group of living) signalGroup(group, 'SIGKILL');
});

/**
 * A child process and everything it starts, in a process group of its own: stopped together, and killed when
 * this process exits.
 */
export class ProcessGroup implements Running, AsyncDisposable {
  readonly pid: number;
  readonly log: LogRing;
  /** Resolves when the first process of the group has ended. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  /** Resolves when it has ended and nobody holds its stdout or stderr any longer. */
  readonly #closed: Promise<void>;
  #exit: Exit | undefined;

  private constructor(child: ChildProcess, pid: number, log: LogRing, graceMs: number) {
    this.#child = child;
    this.#graceMs = graceMs;
    this.pid = pid;
    this.log = log;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    this.#closed = new Promise((resolve) => {
      child.once('close', () => resolve());
    });
    living.add(pid);
  }

  /**
   * @param graceMs how long the group may take to end after SIGTERM before it gets SIGKILL
   * @throws the system's error (`ENOENT`, `EACCES`, …) when the program cannot be run
   */
  static async spawn(
    command: readonly [string, ...string[]],
    options: {
      readonly directory: string;
      readonly environment: Readonly<Record<string, string>>;
      readonly graceMs: number;
    },
  ): Promise<ProcessGroup> {
    const [program, ...rest] = command;
    const child = spawn(program, rest, {
      cwd: options.directory,
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const log = new LogRing();
    log.follow(child.stdout);
    log.follow(child.stderr);
    const group =
      child.pid === undefined ? undefined : new ProcessGroup(child, child.pid, log, options.graceMs);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    if (group === undefined) throw new Error('the program was started without a process id');
    child.on('error', () => undefined);
    return group;
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Waits for the last of the log after the process has ended; at most `timeoutMs`, as others may hold the pipe. */
  async drained(timeoutMs: number): Promise<void> {
    await within(this.#closed, timeoutMs);
  }

  /** Also what a process of the group has started in a group of its own counts as its own. */
  async listenerAt(port: number): Promise<Listener> {
    return listenerAt(port, this.pid);
  }

  /** SIGHUP to the first process of the group alone: what it has started may not expect it. */
  hangUp(): void {
    if (this.#exit === undefined) this.#child.kill('SIGHUP');
  }

  /** SIGTERM to the whole group, SIGKILL to what is left of it after the grace period. Safe to call again. */
  async stop(): Promise<void> {
    signalGroup(this.pid, 'SIGTERM');
    await within(this.#closed, this.#graceMs);
    // Also after an orderly end: a child that gave up its stdout may still be there.
    signalGroup(this.pid, 'SIGKILL');
    await within(this.exited, this.#graceMs);
    living.delete(this.pid);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // ESRCH: nobody is left in the group.
  }
}
