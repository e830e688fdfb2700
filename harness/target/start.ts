import { containerEngine, NoEngine } from './container-engine.ts';
import type { Engine } from './container-engine.ts';
import { promised } from './environment.ts';
import { writeEnvironment } from './environment-folder.ts';
import type { EnvironmentFolder } from './environment-folder.ts';
import { freePort, LOOPBACK } from './free-port.ts';
import type { Manifest } from './manifest.ts';
import { startModuleTarget } from './module-target.ts';
import { patience } from './patience.ts';
import { startProcessTarget } from './process-target.ts';
import type { Expectation } from './running.ts';
import { areForClient, TargetProblem } from './target.ts';
import type { StartedTarget, Target, TargetSettings } from './target.ts';
import { reachUrlClient, reachUrlTarget } from './url-target.ts';
import { SAME_MACHINE } from './vantage.ts';
import type { Vantage } from './vantage.ts';

const READINESS_TIMEOUT_MS = 15_000;
/** A container has bounds that the suite sets, and the engine its own work to do. */
const CONTAINER_READINESS_TIMEOUT_MS = 30_000;
/** A target that runs already has no start-up to wait for. */
const URL_READINESS_TIMEOUT_MS = 5000;
const STOP_GRACE_MS = 5000;

/**
 * Starts a target, or reaches one that runs already, and waits until it answers.
 *
 * @throws {TargetProblem} when it does not come to that; nothing is left running then
 */
export async function startTarget(manifest: Manifest, settings: TargetSettings): Promise<Target> {
  const { start, role } = manifest;
  switch (start.kind) {
    case 'url':
      return (role === 'client' ? reachUrlClient : reachUrlTarget)(
        manifest,
        start.url,
        settings.readinessTimeoutMs ?? URL_READINESS_TIMEOUT_MS,
      );
    case 'container':
      return startInContainer(manifest, start, settings);
    default:
      return onFreePort((port) => startHere(manifest, start, settings, port));
  }
}

/**
 * Where a target will see the suite's servers, which they have to listen at and be named by.
 *
 * @throws {TargetProblem} where the target runs in a container and there is no engine for it
 */
export async function vantageOf(manifest: Manifest): Promise<Vantage> {
  return manifest.start.kind === 'container' ? (await engineFor(manifest)).vantage : SAME_MACHINE;
}

async function engineFor({ name }: Manifest): Promise<Engine> {
  try {
    return await containerEngine();
  } catch (error) {
    if (!(error instanceof NoEngine)) throw error;
    throw new TargetProblem(
      'no-engine',
      name,
      `not run: ${error.message}`,
      'Start a Docker engine on this machine; docker version says whether one answers.',
    );
  }
}

/** How often another port is tried where somebody else was quicker to take one that was free. */
const PORTS_TRIED = 3;

async function onFreePort(start: (port: number) => Promise<Target>): Promise<Target> {
  for (let tried = 1; ; tried++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken =
        error instanceof TargetProblem && /EADDRINUSE|\bin use\b|already allocated/.test(error.message);
      if (!taken || tried === PORTS_TRIED) throw error;
    }
  }
}

async function startHere(
  manifest: Manifest,
  start: Extract<Manifest['start'], { kind: 'module' | 'process' }>,
  settings: TargetSettings,
  port: number,
): Promise<Target> {
  const expectation = expectationOf(settings, port);
  const listening = { listen: `${LOOPBACK}:${port}`, publicPort: port };
  const environment = await writeEnvironment(promised(manifest, settings, listening));
  try {
    const target =
      start.kind === 'module'
        ? await startModuleTarget(manifest, start.module, environment.variables, expectation)
        : await startProcessTarget(manifest, start, environment.variables, expectation);
    return releasing(target, environment);
  } catch (error) {
    await environment[Symbol.asyncDispose]();
    throw error;
  }
}

async function startInContainer(
  manifest: Manifest,
  start: Extract<Manifest['start'], { kind: 'container' }>,
  settings: TargetSettings,
): Promise<Target> {
  const engine = await engineFor(manifest);
  const { buildImage } = await import('./container-image.ts');
  const { startContainerTarget } = await import('./container-target.ts');
  const image = start.image ?? (await buildImage(manifest, start));
  return onFreePort((port) => {
    const listening = { listen: `0.0.0.0:${start.port}`, publicPort: port };
    return startContainerTarget(
      manifest,
      { ...start, image },
      promised(manifest, settings, listening),
      expectationOf(settings, port, CONTAINER_READINESS_TIMEOUT_MS),
      engine,
    );
  });
}

function expectationOf(
  settings: TargetSettings,
  port: number,
  readinessTimeoutMs: number = READINESS_TIMEOUT_MS,
): Expectation {
  return {
    host: LOOPBACK,
    port,
    certificate: areForClient(settings) ? null : settings.serverIdentity.certificate,
    readinessTimeoutMs: settings.readinessTimeoutMs ?? patience(readinessTimeoutMs),
    stopGraceMs: settings.stopGraceMs ?? STOP_GRACE_MS,
  };
}

/** The target, with its files under control, and removed when it is stopped. */
function releasing(target: StartedTarget, files: EnvironmentFolder): Target {
  const stop = async (): Promise<void> => {
    await target.stop();
    await files[Symbol.asyncDispose]();
  };
  return {
    manifest: target.manifest,
    host: target.host,
    port: target.port,
    startedAs: target.startedAs,
    ended: target.ended,
    log: () => target.log(),
    alive: () => target.alive(),
    rotate: async (identity) => {
      await files.replaceIdentity(identity);
      await target.reload();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
