import { X509Certificate } from 'node:crypto';
import { within } from './bounded.ts';
import type { TargetEnvironment } from './environment.ts';
import type { Manifest, Start } from './manifest.ts';
import { describeExit, ProcessGroup, type Exit } from './process-group.ts';
import { greet, knock, type Greeting } from './readiness.ts';
import { TargetProblem, type StartedTarget } from './target.ts';

/** Exit status of a target that does not play the role in `TSBT_ROLE`. */
export const ROLE_UNSUPPORTED = 127;

/** Where and in what time a target is to answer. */
export interface Expectation {
  readonly host: string;
  readonly port: number;
  /** PEM of the certificate that the target answers with; `null`: it speaks plain HTTP, and accepts connections. */
  readonly certificate: string | null;
  readonly readinessTimeoutMs: number;
  readonly stopGraceMs: number;
}

/** How long a target that met a foreign server on its port gets to say so and end. */
const ADDRESS_IN_USE_MS = 2000;

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
    await ready(manifest, group, expectation);
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

async function ready(manifest: Manifest, group: ProcessGroup, expectation: Expectation): Promise<void> {
  const { host, port, readinessTimeoutMs } = expectation;
  const dead = new AbortController();
  void group.exited.then(() => dead.abort());
  const meet = expectation.certificate === null ? knock : greet;
  const greeting = await meet(host, port, readinessTimeoutMs, dead.signal);
  if (foreign(greeting, expectation)) {
    // Most likely the port was taken by another program: the target is about to notice.
    await within(group.exited, ADDRESS_IN_USE_MS);
  }
  if (group.exit !== undefined) {
    await group.drained(1000);
    throw died(manifest, group, group.exit, expectation);
  }
  if (foreign(greeting, expectation))
    throw new TargetProblem(
      'wrong-certificate',
      manifest.name,
      `${host}:${port} answers with another certificate than the one in TSBT_TLS_CERT_FILE`,
      'The target must use the certificate and key of TSBT_TLS_CERT_FILE and TSBT_TLS_KEY_FILE.',
      group.log.lines(),
    );
  if (greeting.type === 'not-tls')
    throw new TargetProblem(
      'not-tls',
      manifest.name,
      `${host}:${port} answers, but not with TLS`,
      'The target must serve HTTPS at TSBT_LISTEN.',
      group.log.lines(),
    );
  if (greeting.type === 'silent' || greeting.type === 'no-such-host')
    throw new TargetProblem(
      'never-listened',
      manifest.name,
      `did not answer at ${host}:${port} within ${readinessTimeoutMs} ms${greeting.type === 'silent' ? `: ${greeting.detail}` : ''}`,
      expectation.certificate === null
        ? 'The target must listen on the host:port in TSBT_LISTEN for plain HTTP.'
        : 'The target must listen on the host:port in TSBT_LISTEN and complete a TLS handshake there.',
      group.log.lines(),
    );
}

/** Whether another server than the target answered. Where the handshake ended in an alert, that cannot be told. */
function foreign(greeting: Greeting, expectation: Expectation): boolean {
  if (greeting.type !== 'handshake' || greeting.certificate === undefined) return false;
  if (expectation.certificate === null) return false;
  return !greeting.certificate.equals(new X509Certificate(expectation.certificate).raw);
}

function died(manifest: Manifest, group: ProcessGroup, exit: Exit, expectation: Expectation): TargetProblem {
  const log = group.log.lines();
  if (exit.code === ROLE_UNSUPPORTED)
    return new TargetProblem(
      'role-unsupported',
      manifest.name,
      `exited with status ${ROLE_UNSUPPORTED}: it does not play the role ${manifest.role}`,
      'Correct role in the manifest. (A shell also exits with 127 when it does not find a command: see the log.)',
      log,
    );
  const inUse = log.some((line) => /EADDRINUSE|address already in use|port .*in use/i.test(line));
  return new TargetProblem(
    'died',
    manifest.name,
    `ended with ${describeExit(exit)} before it answered${inUse ? `: port ${expectation.port} was already in use` : ''}`,
    inUse
      ? 'Run again; if it stays so, see what listens on that port.'
      : 'Its log says why; run its command by hand with the variables of the target contract.',
    log,
  );
}
