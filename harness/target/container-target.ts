import { PassThrough, Readable } from 'node:stream';
import { GenericContainer } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import type { Identity } from '../../certs/identity.ts';
import { within } from './bounded.ts';
import { ownerLabels } from './container-engine.ts';
import type { Engine } from './container-engine.ts';
import { identityFiles } from './environment.ts';
import type { Promised } from './environment.ts';
import { LogRing } from './log-ring.ts';
import type { Manifest, Start } from './manifest.ts';
import { describeExit, untilItAnswers } from './running.ts';
import type { Exit, Expectation, Running } from './running.ts';
import { TargetProblem } from './target.ts';
import type { Target } from './target.ts';
import { HOST_OF_CONTAINERS } from './vantage.ts';

type Docker = Engine['docker'];
type Container = ReturnType<Docker['getContainer']>;
type ContainerStart = Extract<Start, { kind: 'container' }>;

/** The folder inside a container in which the files of the target contract are. */
const FILES = '/run/tsbt';
/** What a target may use unless its manifest says otherwise, in mebibytes. */
export const MEMORY_MIB = 512;
const MOST_PROCESSES = 256;
const PROCESSORS = 2;
/** How long the engine may take to remove a container that has ended. */
const REMOVAL_MS = 10_000;

/**
 * Starts a target in a container and waits until it answers. The port is published on loopback only; the target has no
 * capabilities, cannot gain privileges, and has bounds on memory, processors and processes.
 *
 * @throws {TargetProblem} after everything that was started has been removed
 */
export async function startContainerTarget(
  manifest: Manifest,
  start: ContainerStart & { readonly image: string },
  promised: Promised,
  expectation: Expectation,
  engine: Engine,
): Promise<Target> {
  const bounded = new BoundedContainer(start, promised, expectation);
  const running = await bounded.run(manifest, engine);
  try {
    await untilItAnswers(manifest, running, { ...expectation, proxied: true });
  } catch (error) {
    await running.remove();
    throw error;
  }
  return new ContainerTarget(manifest, start, expectation, running);
}

/** A container with the bounds that testcontainers has no method for, and that tells of its end as soon as it comes. */
class BoundedContainer extends GenericContainer {
  readonly #start: ContainerStart & { readonly image: string };
  readonly #published: Pick<Expectation, 'host' | 'port' | 'stopGraceMs'>;
  readonly #log = new LogRing();
  #isRead = false;
  readonly #created = Promise.withResolvers<string>();

  constructor(
    start: ContainerStart & { readonly image: string },
    { values, files }: Promised,
    published: Expectation,
  ) {
    super(start.image);
    this.#start = start;
    this.#published = published;
    const memory = start.memory ?? MEMORY_MIB;
    this.withEnvironment({
      ...start.environment,
      ...values,
      ...Object.fromEntries(
        Object.entries(files).map(([variable, { name }]) => [variable, `${FILES}/${name}`]),
      ),
    })
      .withCopyContentToContainer(contents(files))
      .withExtraHosts([{ host: HOST_OF_CONTAINERS, ipAddress: 'host-gateway' }])
      .withLabels(ownerLabels())
      .withResourcesQuota({ memory: memory / 1024, cpu: PROCESSORS })
      .withDroppedCapabilities('ALL')
      .withSecurityOpt('no-new-privileges:true')
      // The suite removes it itself, also when it dies: no further container is needed for that.
      .withAutoCleanup(false)
      .withLogConsumer((stream) => this.#follow(stream))
      // Whether it is ready is asked of the target itself, not of the engine.
      .withWaitStrategy(AT_ONCE);
    if (start.command !== undefined) this.withCommand([...start.command]);
  }

  /**
   * Creates and starts it.
   *
   * @throws {TargetProblem} when the engine cannot
   */
  async run(manifest: Manifest, { docker }: Engine): Promise<RunningContainer> {
    const started = this.start();
    // Of one that has ended already, testcontainers would wait for the ports for long.
    started.catch(() => undefined);
    let container: Container | undefined;
    try {
      const id = await Promise.race([this.#created.promise, started.then((one) => one.getId())]);
      container = docker.getContainer(id);
      const ended = this.#ended(docker, container, started);
      const running = new RunningContainer(container, started, this.#log, ended, this.#published.stopGraceMs);
      await Promise.race([started, ended]);
      return running;
    } catch (error) {
      await container?.remove({ force: true, v: true }).catch(() => undefined);
      throw refused(manifest, this.#start, error);
    }
  }

  /** How it ends, with its log complete by then where it ended before there was somebody to read it. */
  async #ended(docker: Docker, container: Container, started: Promise<unknown>): Promise<Exit> {
    // One that has ended before it was asked about is found by the second question.
    const { StatusCode: code } = (await Promise.race([
      container.wait({ condition: 'next-exit' }),
      started.then(
        () => container.wait(),
        () => container.wait(),
      ),
    ])) as { readonly StatusCode: number };
    const state = await container.inspect().then(
      ({ State }) => State,
      () => undefined,
    );
    if (!this.#isRead) await this.#readLog(docker, container);
    const memory = this.#start.memory ?? MEMORY_MIB;
    return {
      code,
      signal: null,
      ...(state?.OOMKilled === true
        ? { detail: `it needed more than its ${memory} MiB of memory; start.container.memory gives it more` }
        : {}),
    };
  }

  async #readLog(docker: Docker, container: Container): Promise<void> {
    const both = new PassThrough();
    this.#follow(both);
    const written = await container
      .logs({ follow: false, stdout: true, stderr: true })
      .catch(() => Buffer.of());
    docker.modem.demuxStream(Readable.from([written]), both, both);
    both.end();
  }

  #follow(stream: Readable): void {
    this.#isRead = true;
    this.#log.follow(stream);
  }

  protected override async beforeContainerCreated(): Promise<void> {
    const { host, port } = this.#published;
    const inside = `${this.#start.port}/tcp`;
    this.createOpts.ExposedPorts = { ...this.createOpts.ExposedPorts, [inside]: {} };
    this.hostConfig.PortBindings = { [inside]: [{ HostIp: host, HostPort: String(port) }] };
    this.hostConfig.PidsLimit = MOST_PROCESSES;
    // No swap on top of the memory.
    if (this.hostConfig.Memory !== undefined) this.hostConfig.MemorySwap = this.hostConfig.Memory;
    // Signals reach a target that is no init process as they would on a machine of its own.
    this.hostConfig.Init = true;
    this.hostConfig.LogConfig = { Type: 'json-file', Config: { 'max-size': '4m', 'max-file': '1' } };
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.#created.resolve(id);
  }
}

function contents(files: Promised['files']): { content: string; target: string; mode: number }[] {
  // Readable for whoever the image runs as; nobody else is in there.
  return Object.values(files).map(({ name, text }) => ({
    content: text,
    target: `${FILES}/${name}`,
    mode: 0o444,
  }));
}

const AT_ONCE = {
  waitUntilReady: async (): Promise<void> => undefined,
  withStartupTimeout: () => AT_ONCE,
  isStartupTimeoutSet: () => true,
  getStartupTimeout: () => 60_000,
};

/** A container that was started, and is removed. */
class RunningContainer implements Running {
  readonly log: LogRing;
  readonly exited: Promise<Exit>;
  readonly #container: Container;
  readonly #started: Promise<StartedTestContainer>;
  readonly #graceMs: number;
  #exit: Exit | undefined;
  #removing: Promise<void> | undefined;

  constructor(
    container: Container,
    started: Promise<StartedTestContainer>,
    log: LogRing,
    exited: Promise<Exit>,
    graceMs: number,
  ) {
    this.#container = container;
    this.#started = started;
    this.log = log;
    this.#graceMs = graceMs;
    this.exited = exited.then(
      (exit) => (this.#exit = exit),
      // The engine itself is gone, or has lost it.
      () => (this.#exit = { code: null, signal: null, detail: 'the container engine lost it' }),
    );
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** The engine hands on what was written before the end, and does not say when that is all of it. */
  async drained(timeoutMs: number): Promise<void> {
    await within(this.log.ended, timeoutMs);
  }

  async hangUp(): Promise<void> {
    await this.#container.kill({ signal: 'SIGHUP' });
  }

  /** Writes files into it, in place of the ones that it was given. */
  async replace(files: Promised['files']): Promise<void> {
    await (await this.#started).copyContentToContainer(contents(files));
  }

  /** SIGTERM, SIGKILL after the grace period, and away. Never throws, and does nothing the second time. */
  remove(): Promise<void> {
    this.#removing ??= this.#remove();
    return this.#removing;
  }

  async #remove(): Promise<void> {
    const seconds = Math.ceil(this.#graceMs / 1000);
    // Refused for one that has ended already.
    await this.#container.stop({ t: seconds }).catch(() => undefined);
    await within(
      this.#container.remove({ force: true, v: true }).catch(() => undefined),
      REMOVAL_MS,
    );
  }
}

class ContainerTarget implements Target {
  readonly manifest: Manifest;
  readonly host: string;
  readonly port: number;
  readonly startedAs: string;
  readonly ended: Promise<string>;
  readonly #running: RunningContainer;
  #stopped = false;

  constructor(
    manifest: Manifest,
    start: ContainerStart & { readonly image: string },
    { host, port }: Expectation,
    running: RunningContainer,
  ) {
    this.manifest = { ...manifest, start };
    this.host = host;
    this.port = port;
    this.startedAs = `container ${start.image}`;
    this.#running = running;
    this.ended = new Promise((resolve) => {
      void running.exited.then((exit) => {
        if (!this.#stopped) resolve(`the target's container ended by itself with ${describeExit(exit)}`);
      });
    });
  }

  log(): readonly string[] {
    return this.#running.log.lines();
  }

  alive(): boolean {
    return !this.#stopped && this.#running.exit === undefined;
  }

  async rotate(identity: Identity): Promise<void> {
    await this.#running.replace(identityFiles(identity));
    await this.#running.hangUp();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Why the engine would not start it, in its own words. */
function refused(manifest: Manifest, { image }: ContainerStart, error: unknown): TargetProblem {
  const said = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
  const missing = /no such image|not found|pull access denied|does not exist|manifest unknown/i.test(said);
  return new TargetProblem(
    'cannot-start',
    manifest.name,
    `the container engine does not start ${image ?? 'its image'}: ${said}`,
    missing
      ? 'Correct start.container.image, or pull or build the image beforehand.'
      : 'See whether `docker run` starts the image.',
  );
}
