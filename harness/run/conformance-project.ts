import { fileURLToPath } from 'node:url';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import type { Plan } from './plan.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** How many scenarios of a target are under way at once in a worker. Each of a client has a client of its own meanwhile. */
const CONCURRENT = { 'resource-server': 12, client: 8, intermediary: 8, 'authorization-server': 8 } as const;

/**
 * The vitest project that plays a plan on its target.
 *
 * @param plan given later, by a global set-up, when left out
 * @param alone one scenario after the other
 */
export function conformanceProject(
  name: string,
  plan: Plan | undefined,
  globalSetup: readonly string[] = [],
  alone = false,
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      root,
      dir: root,
      include: [`suites/conformance.test.${extension}`],
      exclude: [],
      pool: 'forks',
      isolate: false,
      // Node loads the scenarios itself, as the command line does: nothing here needs a transform.
      experimental: { viteModuleRunner: false, nodeLoader: false },
      testTimeout: 60_000,
      maxConcurrency: alone ? 1 : CONCURRENT[plan?.role ?? 'client'],
      retry: 0,
      globalSetup: [...globalSetup],
      ...(plan === undefined ? {} : { provide: { plan } }),
      sequence: { groupOrder: 1 },
    },
  };
}
