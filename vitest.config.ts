import { defineConfig } from 'vitest/config';
import { conformanceProject } from './harness/run/conformance-project.ts';
import { EMBEDDED_ROLES } from './harness/target/embedded.ts';

/** `TSBT_TARGET=<manifest or url> npm test` tests that implementation, and nothing else. */
const foreign = process.env['TSBT_TARGET'];

const ownTests = {
  test: {
    name: 'project',
    include: ['{certs,harness,reference,reports,suites,targets}/**/*.test.ts'],
    exclude: ['suites/{conformance,mutant-matrix}.test.ts'],
    pool: 'forks' as const,
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    sequence: { groupOrder: 0 },
  },
};

const setup = new URL('./suites/conformance.setup.ts', import.meta.url).pathname;

export default defineConfig({
  test: {
    projects: [
      ...(foreign === undefined ? [ownTests] : []),
      ...(foreign === undefined ? EMBEDDED_ROLES : ['target']).map((what) =>
        conformanceProject(`conformance ${what}`, undefined, [setup]),
      ),
    ],
  },
});
