import { defineConfig } from 'vitest/config';

// One project for the whole workspace: a package's tests import its own sources and the other packages' builds.
export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most of them wait for a server or a child most of the time.
    maxWorkers: 2,
  },
});
