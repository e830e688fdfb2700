import { prepareEnvironment } from './environment.ts';
import type { PreparedEnvironment } from './environment.ts';
import { freePort, LOOPBACK } from './free-port.ts';
import type { Manifest } from './manifest.ts';
import { startModuleTarget } from './module-target.ts';
import { startProcessTarget, type Expectation } from './process-target.ts';
import { areForClient, TargetProblem } from './target.ts';
import type { StartedTarget, Target, TargetSettings } from './target.ts';
import { reachUrlClient, reachUrlTarget } from './url-target.ts';

const READINESS_TIMEOUT_MS = 15_000;
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
      throw new TargetProblem(
        'not-available',
        manifest.name,
        'container targets are not part of this version',
        'Start the container yourself and give its address with start.url or --url.',
      );
    default:
      return startHere(manifest, start, settings);
  }
}

/** How often another port is tried where somebody else was quicker to take one that was free. */
const PORTS_TRIED = 3;

async function startHere(
  manifest: Manifest,
  start: Extract<Manifest['start'], { kind: 'module' | 'process' }>,
  settings: TargetSettings,
): Promise<Target> {
  for (let tried = 1; ; tried++) {
    try {
      return await startOnFreePort(manifest, start, settings);
    } catch (error) {
      const taken = error instanceof TargetProblem && /EADDRINUSE|\bin use\b/.test(error.message);
      if (!taken || tried === PORTS_TRIED) throw error;
    }
  }
}

async function startOnFreePort(
  manifest: Manifest,
  start: Extract<Manifest['start'], { kind: 'module' | 'process' }>,
  settings: TargetSettings,
): Promise<Target> {
  const port = await freePort();
  const expectation: Expectation = {
    host: LOOPBACK,
    port,
    certificate: areForClient(settings) ? null : settings.serverIdentity.certificate,
    readinessTimeoutMs: settings.readinessTimeoutMs ?? READINESS_TIMEOUT_MS,
    stopGraceMs: settings.stopGraceMs ?? STOP_GRACE_MS,
  };
  const environment = await prepareEnvironment(manifest, settings, `${LOOPBACK}:${port}`);
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

/** The target, with its files under control, and removed when it is stopped. */
function releasing(target: StartedTarget, files: PreparedEnvironment): Target {
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
