import { defineConfig } from 'vitest/config';

/** The quick tests beside the code that Stryker mutates, and nothing else: see docs/mutation-testing.md. */
export default defineConfig({
  test: {
    include: ['{harness/scenario,harness/forge,reference/proof}/**/*.test.ts'],
    testTimeout: 10_000,
  },
});
