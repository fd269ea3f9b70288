import { defineConfig } from 'vitest/config';

// unit: no sockets. redis: one real server for the run. scenarios: whole systems of processes, which
// run the compiled dist/. browser: a real Chromium against a real dashboard.
const withRedis = ['test/helpers/redis-global-setup.ts'];
const withBuild = ['test/helpers/build-global-setup.ts', ...withRedis];

export default defineConfig({
  test: {
    // Most tests wait for servers and clocks: one a core would leave the cores idle.
    maxWorkers: 4,
    projects: [
      { test: { name: 'unit', include: ['test/{unit,docs}/**/*.test.ts'] } },
      {
        test: {
          name: 'redis',
          include: ['test/redis/**/*.test.ts'],
          globalSetup: withRedis,
          testTimeout: 15_000,
        },
      },
      {
        test: {
          name: 'scenarios',
          include: ['test/{scenarios,browser}/**/*.test.ts'],
          globalSetup: withBuild,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
