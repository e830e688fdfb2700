import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import type { ContainerRuntimeClient } from 'testcontainers';
import { HOST_OF_CONTAINERS, SAME_MACHINE } from './vantage.ts';
import type { Vantage } from './vantage.ts';

/** The part of the engine's interface that is used here, as testcontainers hands it out. */
type Docker = ContainerRuntimeClient['container']['dockerode'];

/** A container engine on this machine that answers. */
export interface Engine {
  readonly docker: Docker;
  /** Where a container sees the suite's servers. */
  readonly vantage: Vantage;
}

/** Nobody to start containers with; `message` in words. */
export class NoEngine extends Error {
  override readonly name = 'NoEngine';
}

/** On every container of the suite: the process that started it, see {@link owner}. */
const OWNER_LABEL = 'tsbt.owner';

/** What Docker and Podman put into the containers that they run. */
const CONTAINER_MARKS = ['/.dockerenv', '/run/.containerenv'];

let found: Promise<Engine> | undefined;

/**
 * The container engine of this machine. The first call in a process removes what runs before it left behind, and sets
 * a watch that removes this process's containers should it die.
 *
 * @throws {NoEngine} where none answers, or it runs on another machine
 */
export async function containerEngine(): Promise<Engine> {
  found ??= findEngine();
  return found;
}

/** The label by which a container's owner can be told. */
export function ownerLabels(): Readonly<Record<string, string>> {
  return { [OWNER_LABEL]: owner(process.pid) };
}

async function findEngine(): Promise<Engine> {
  // Inside a container testcontainers takes the bridge's address for the way to every engine, and pulls an image to find
  // it where it has none; an engine in the same container is reached as on any machine. See unreachable() for the others.
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= SAME_MACHINE.address;
  // Loaded late: a third of a second that only targets in containers need.
  const { getContainerRuntimeClient } = await import('testcontainers');
  let client: ContainerRuntimeClient;
  try {
    client = await getContainerRuntimeClient();
  } catch {
    throw new NoEngine(noAnswer(process.env['DOCKER_HOST']));
  }
  const docker = client.container.dockerode;
  const { socketPath, host } = docker.modem as { readonly socketPath?: string; readonly host?: string };
  // testcontainers goes on to look elsewhere, which is not what somebody who names an engine expects.
  const named = socketIn(process.env['DOCKER_HOST']);
  if (named !== undefined && socketPath !== named) throw new NoEngine(noAnswer(process.env['DOCKER_HOST']));
  const bridge = await bridgeAddress(docker);
  const reason = unreachable({
    socketPath,
    host,
    bridge,
    inContainer: CONTAINER_MARKS.some((file) => existsSync(file)),
  });
  if (reason !== undefined) throw new NoEngine(reason);
  await removeOrphans(docker);
  watch();
  // Engines that run in a virtual machine have no bridge here, and forward the name to loopback.
  return { docker, vantage: { address: bridge ?? SAME_MACHINE.address, name: HOST_OF_CONTAINERS } };
}

/** The socket that an engine's address names, if it names one. */
function socketIn(dockerHost: string | undefined): string | undefined {
  return /^unix:\/\/(?<path>.+)$/.exec(dockerHost ?? '')?.groups?.['path'];
}

/**
 * That no engine answers, in words. One that was named is what was looked for, whether or not there is another one.
 *
 * @param dockerHost the variable DOCKER_HOST
 */
export function noAnswer(dockerHost: string | undefined): string {
  const named = socketIn(dockerHost) ?? dockerHost ?? '';
  return `no container engine answers${named === '' ? '' : ` at ${named} (DOCKER_HOST)`}`;
}

/**
 * Why ports that an engine publishes on 127.0.0.1 cannot be reached from here, in words; undefined where they can.
 *
 * @param engine.bridge the address of its default bridge, if this machine has it
 * @param engine.inContainer whether the suite itself runs in a container
 */
export function unreachable(engine: {
  readonly socketPath: string | undefined;
  readonly host: string | undefined;
  readonly bridge: string | undefined;
  readonly inContainer: boolean;
}): string | undefined {
  const { socketPath, host = '', bridge, inContainer } = engine;
  if (socketPath === undefined && !['localhost', '127.0.0.1', '[::1]'].includes(host))
    return `the container engine is on another machine (${host})`;
  // A socket that was handed in: its engine publishes on the loopback of the machine around this container.
  if (inContainer && bridge === undefined)
    return 'the container engine is outside of the container that the suite runs in; --network host, or running the suite beside the engine, lets the suite reach what it publishes';
  return undefined;
}

/**
 * The address of this machine that containers reach under {@link HOST_OF_CONTAINERS}, and nobody outside: the default
 * bridge's. It is asked of the engine, since a bridge without containers may not be among this machine's interfaces,
 * and one without a gateway of its own has the first address of its subnet.
 *
 * @returns undefined where the bridge is not on this machine
 */
async function bridgeAddress(docker: Docker): Promise<string | undefined> {
  const { IPAM } = (await docker.getNetwork('bridge').inspect()) as {
    readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string; readonly Subnet?: string }[] };
  };
  for (const { Gateway, Subnet } of IPAM?.Config ?? []) {
    const address = Gateway ?? Subnet?.replace(/\.(\d+)\/\d+$/, (_, last: string) => `.${Number(last) + 1}`);
    if (address !== undefined && !address.includes(':') && (await canListenAt(address))) return address;
  }
  return undefined;
}

async function canListenAt(address: string): Promise<boolean> {
  const server = createServer();
  server.listen(0, address);
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Host, process id and start time: a process that got the number of another does not count as the same. */
function owner(pid: number): string {
  return `${hostname()}:${pid}:${startTimeOf(pid) ?? ''}`;
}

function startTimeOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Whether the process that a label names is gone for sure: one on another machine never is. */
function isGone(label: string): boolean {
  const [host, pid] = label.split(':');
  if (host !== hostname()) return false;
  if (process.platform === 'linux') return owner(Number(pid)) !== label;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

async function removeOrphans(docker: Docker): Promise<void> {
  const containers = await docker.listContainers({ all: true, filters: { label: [OWNER_LABEL] } });
  const orphans = containers.filter(({ Labels }) => isGone(Labels[OWNER_LABEL] ?? ''));
  await Promise.allSettled(orphans.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
}

/**
 * Starts a shell that waits until this process's end of a pipe closes, as it does however the process dies, and then
 * removes the containers that it started. Twice, as one may be on its way into being.
 */
function watch(): void {
  const script =
    'trap "" INT TERM HUP; cat >/dev/null; for pause in 0 2; do sleep $pause; ' +
    'docker ps -aq --filter "label=$1" | xargs -r docker rm -fv; done';
  const child = spawn('/bin/sh', ['-c', script, 'sh', `${OWNER_LABEL}=${owner(process.pid)}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Where there is no shell or no docker command, the next run's start removes what is left.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
}
