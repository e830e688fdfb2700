import type { TestProject } from 'vitest/node';
import { startOpposite } from '../harness/run/opposite.ts';
import { casesOf, WHOLE_CORE } from '../harness/run/selection.ts';
import { EMBEDDED, EMBEDDED_ROLES } from '../harness/target/embedded.ts';
import { loadManifest, manifestForUrl } from '../harness/target/manifest.ts';
import { SCENARIOS } from './scenarios.ts';

/**
 * Global set-up of the conformance part of `npm test`: starts the target that `TSBT_TARGET` names (a manifest
 * or an https URL), or the embedded reference of the role that the project is named after, for all cases of the core
 * profile.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const role = EMBEDDED_ROLES.find((one) => project.name.endsWith(` ${one}`)) ?? 'resource-server';
  const named = process.env['TSBT_TARGET'] ?? EMBEDDED[role];
  const manifest = named.startsWith('https://')
    ? manifestForUrl(named, 'resource-server')
    : await loadManifest(named);
  const opposite = await startOpposite();
  try {
    const target = await opposite.start(manifest);
    const cases = casesOf(
      SCENARIOS.filter((scenario) => scenario.role === manifest.role),
      WHOLE_CORE,
      manifest.capabilities,
    );
    project.provide('plan', await opposite.plan(target, cases, WHOLE_CORE, manifest.knownFailures));
    return async () => {
      await target.stop();
      await opposite[Symbol.asyncDispose]();
    };
  } catch (error) {
    await opposite[Symbol.asyncDispose]();
    throw error;
  }
}
