import { X509Certificate } from 'node:crypto';
import { within } from './bounded.ts';
import { setTimeout as pause } from 'node:timers/promises';
import type { Listener } from './listener.ts';
import type { LogRing } from './log-ring.ts';
import type { Manifest } from './manifest.ts';
import { greet, knock, knockThrough, type Greeting } from './readiness.ts';
import { TargetProblem } from './target.ts';

/** Exit status of a target that does not play the role in `TSBT_ROLE`. */
export const ROLE_UNSUPPORTED = 127;

/** How a program ended. `code` is null when a signal ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What is known of the reason besides, in words. */
  readonly detail?: string;
}

/** A program that was started, as a process or in a container. */
export interface Running {
  readonly log: LogRing;
  readonly exited: Promise<Exit>;
  /** Set once it has ended. */
  readonly exit: Exit | undefined;
  /** Waits for the last of the log after it has ended; at most `timeoutMs`. */
  drained(timeoutMs: number): Promise<void>;
  /** Whether it is this program that listens at a port of the loopback address; left out where that cannot be told. */
  listenerAt?(port: number): Promise<Listener>;
}

/** Where and in what time a target is to answer. */
export interface Expectation {
  readonly host: string;
  readonly port: number;
  /** PEM of the certificate that the target answers with; `null`: it speaks plain HTTP, and accepts connections. */
  readonly certificate: string | null;
  readonly readinessTimeoutMs: number;
  readonly stopGraceMs: number;
  /** True where a proxy stands before the target that accepts connections before the target does. */
  readonly proxied?: boolean;
}

/** How long a target that met a foreign server on its port gets to say so and end. */
const ADDRESS_IN_USE_MS = 2000;
/** The same where it is known that another program listens there, and the target may take its time to start. */
const OTHERS_LISTEN_MS = 5000;
const LOOK_AGAIN_MS = 50;
/** How long what it wrote last may take to get here. */
const LAST_WORDS_MS = 1000;

/** "status 1" or "signal SIGSEGV". */
export function describeExit({ code, signal, detail }: Exit): string {
  const how = signal === null ? `status ${code ?? 'unknown'}` : `signal ${signal}`;
  return detail === undefined ? how : `${how} (${detail})`;
}

/**
 * Waits until a target that was just started answers as it should.
 *
 * @throws {TargetProblem} when it ends, does not answer in time, or something else answers; it may still run then
 */
export async function untilItAnswers(
  manifest: Manifest,
  running: Running,
  expectation: Expectation,
): Promise<void> {
  const { host, port, readinessTimeoutMs } = expectation;
  const dead = new AbortController();
  void running.exited.then(() => dead.abort());
  const meet = expectation.certificate !== null ? greet : expectation.proxied === true ? knockThrough : knock;
  const greeting = await meet(host, port, readinessTimeoutMs, dead.signal);
  if (greeting.type !== 'silent') await whileOthersListen(running, port);
  if (foreign(greeting, expectation)) {
    // Most likely the port was taken by another program: the target is about to notice.
    await within(running.exited, ADDRESS_IN_USE_MS);
  }
  if (running.exit !== undefined) {
    await running.drained(LAST_WORDS_MS);
    throw died(manifest, running.log.lines(), running.exit, expectation);
  }
  if (foreign(greeting, expectation))
    throw new TargetProblem(
      'wrong-certificate',
      manifest.name,
      `${host}:${port} answers with another certificate than the one in TSBT_TLS_CERT_FILE`,
      'The target must use the certificate and key of TSBT_TLS_CERT_FILE and TSBT_TLS_KEY_FILE.',
      running.log.lines(),
    );
  if (greeting.type === 'not-tls')
    throw new TargetProblem(
      'not-tls',
      manifest.name,
      `${host}:${port} answers, but not with TLS`,
      'The target must serve HTTPS at TSBT_LISTEN.',
      running.log.lines(),
    );
  if (greeting.type === 'silent' || greeting.type === 'no-such-host')
    throw new TargetProblem(
      'never-listened',
      manifest.name,
      `did not answer at ${host}:${port} within ${readinessTimeoutMs} ms${greeting.type === 'silent' ? `: ${greeting.detail}` : ''}`,
      expectation.certificate === null
        ? 'The target must listen on the host:port in TSBT_LISTEN for plain HTTP.'
        : 'The target must listen on the host:port in TSBT_LISTEN and complete a TLS handshake there.',
      running.log.lines(),
    );
}

/**
 * Waits while it is not the target that listens: it is about to find its port in use, and to end. A target that leaves
 * the listening to a program that it did not start, such as a container engine, is let go on after a while.
 */
async function whileOthersListen(running: Running, port: number): Promise<void> {
  const until = performance.now() + OTHERS_LISTEN_MS;
  while (running.exit === undefined && performance.now() < until) {
    if ((await running.listenerAt?.(port)) !== 'foreign') return;
    await Promise.race([running.exited, pause(LOOK_AGAIN_MS)]);
  }
}

/** Whether another server than the target answered. Where the handshake ended in an alert, that cannot be told. */
function foreign(greeting: Greeting, expectation: Expectation): boolean {
  if (greeting.type !== 'handshake' || greeting.certificate === undefined) return false;
  if (expectation.certificate === null) return false;
  return !greeting.certificate.equals(new X509Certificate(expectation.certificate).raw);
}

function died(
  manifest: Manifest,
  log: readonly string[],
  exit: Exit,
  expectation: Expectation,
): TargetProblem {
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
