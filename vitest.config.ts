import { defineConfig } from 'vitest/config';

/** What packages the stack, lints it, deploys it to a local stand-in, and runs the zips: minutes, and nothing of the job's logic. */
const STACK = [
  'test/infra/{package,deploy}.test.ts',
  'test/integration/artefact*.test.ts',
  'test/support/lambda-runtime.test.ts',
];

/** Servers, jobs and benches that are stopped, killed and cut off: apart, so that no other test's load decides what is seen. */
const FAULTS = ['test/faults/**/*.test.ts', 'test/bench/{interrupted,noise}.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/seed.ts'],
    // Most of the time the tests wait for real servers: more workers than the two cores that this is made for.
    maxWorkers: 4,
    // A poll waits for a process or a server; a busy machine takes its time, and a second is no promise of anybody's.
    expect: { poll: { timeout: 15_000 } },
    hookTimeout: 240_000,
    projects: [
      {
        extends: true,
        test: { name: 'job', include: ['test/**/*.test.ts'], exclude: [...STACK, ...FAULTS], testTimeout: 60_000 },
      },
      { extends: true, test: { name: 'faults', include: FAULTS, testTimeout: 120_000 } },
      { extends: true, test: { name: 'stack', include: STACK, testTimeout: 240_000 } },
    ],
  },
});
