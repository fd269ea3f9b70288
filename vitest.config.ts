import { defineConfig } from 'vitest/config';

// unit: no sockets. redis: one real server for the run. scenarios: whole systems of processes, which
// run the compiled dist/. browser: a real Chromium against a real dashboard.
// These hold to seconds what their processes do: no more than two may share the machine.
const paced = ['demo', 'demo-warm', 'redis-stopped', 'refresh-ahead'].map(
  (name) => `test/scenarios/${name}.test.ts`,
);
const withRedis = ['test/helpers/redis-global-setup.ts'];
const withBuild = ['test/helpers/build-global-setup.ts', ...withRedis];

// What a test waits for comes at once, but on a machine under load.
const patient = { poll: { timeout: 10_000 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // Property tests take long on a busy machine.
          testTimeout: 15_000,
          include: ['test/{unit,docs}/**/*.test.ts'],
          // They share nothing: loading each file's imports anew takes longer than its tests.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'redis',
          include: ['test/redis/**/*.test.ts'],
          globalSetup: withRedis,
          expect: patient,
          // To load all of the library anew for each file took a third of the whole run.
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // They mostly wait for servers: one a core would leave the cores idle.
          maxWorkers: 6,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'scenarios',
          include: ['test/{scenarios,browser}/**/*.test.ts'],
          exclude: paced,
          globalSetup: withBuild,
          expect: patient,
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'paced',
          include: paced,
          globalSetup: withBuild,
          expect: patient,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
