import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/**
 * What packages the stack, lints it, deploys it to a local stand-in, and runs the zips; what runs Prometheus, and the trials of `offpeak lab`:
 * minutes, and nothing of the job's logic.
 */
const STACK = [
  'test/infra/{package,deploy,npm-package}.test.ts',
  'test/integration/artefact*.test.ts',
  'test/support/lambda-runtime.test.ts',
  'test/integration/{prometheus,cli-lab}.test.ts',
];

/** Servers, jobs and benches that are stopped, killed and cut off: apart, so that no other test's load decides what is seen. */
const FAULTS = [
  'test/faults/**/*.test.ts',
  'test/model/every-effect.test.ts',
  'test/integration/aws/parameter-groups-killed.test.ts',
  'test/bench/{interrupted,noise}.test.ts',
];

/** Everything that needs no server, no other process and no wait. */
const UNIT = ['test/unit/**/*.test.ts', 'test/*.test.ts', 'test/mutants/mutants.test.ts', 'test/infra/notices.test.ts'];

/** For files that share a worker. */
const LEAVES_NOTHING = ['test/support/leaves-nothing.ts'];

/** Finds the servers that all but the unit tests start. */
const SERVERS = ['test/support/global-setup.ts'];

export default defineConfig({
  test: {
    setupFiles: ['test/support/seed.ts'],
    // Most of the time the tests wait for real servers: more workers than the two cores that this is made for.
    maxWorkers: 8,
    sequence: { sequencer: LongestFirst },
    // Every time-out is an emergency brake, at least ten times what a quiet machine takes: no test depends on a machine's speed.
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 300_000,
    projects: [
      // One module graph for each worker: loading it anew for each file would take longer than many of the tests.
      {
        extends: true,
        test: {
          name: 'unit',
          include: UNIT,
          isolate: false,
          setupFiles: LEAVES_NOTHING,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          testTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'job',
          isolate: false,
          setupFiles: LEAVES_NOTHING,
          include: ['test/**/*.test.ts'],
          exclude: [...UNIT, ...STACK, ...FAULTS],
          globalSetup: SERVERS,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
        },
      },
      { extends: true, test: { name: 'faults', include: FAULTS, globalSetup: SERVERS, testTimeout: 600_000 } },
      { extends: true, test: { name: 'stack', include: STACK, globalSetup: SERVERS, testTimeout: 600_000 } },
    ],
  },
});
