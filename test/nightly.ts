import { spawnSync } from 'node:child_process';
import { tryModel } from './model/run.ts';

/**
 * `npm run test:nightly`: sequences and cases that have not been tried before, and many more of them than in `npm test`; the jobs that are
 * killed are killed after every effect. With `-- --short`, for CI, a minute of the first two.
 */
const isShort = process.argv.includes('--short');
const steps = Number(process.env.STEPS ?? (isShort ? 2_000 : 100_000));
const runs = process.env.FUZZ_RUNS ?? (isShort ? '200' : '10000');
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const say = (text: string) => process.stdout.write(`${text}\n`);

function tests(projects: readonly string[], files: readonly string[], env: Record<string, string>): boolean {
  const args = ['vitest', 'run', ...projects.map((name) => `--project=${name}`), '--testTimeout=14400000', ...files];
  return spawnSync('npx', args, { env: { ...process.env, ...env }, stdio: 'inherit' }).status === 0;
}

say(`The model: ${steps} steps from the seed ${seed} (again: SEED=${seed} npm run test:nightly)`);
const startedAt = performance.now();
const { deeds, effects, killed, applied, failure, ...tried } = await tryModel(steps, seed);
const seconds = Math.round((performance.now() - startedAt) / 1000);
say(
  `${tried.steps} steps, ${effects} effects of the job, worlds with a killed job: ${killed}; ${JSON.stringify({ ...deeds, ...applied })}; ${seconds} s`,
);
say(failure ?? 'No invariant was violated.');
const results = [failure === undefined];

say(`\nFuzzing: ${runs} cases of each property from the seed ${seed}`);
const fuzzed = isShort ? ['test/fuzz'] : ['test/unit', 'test/fuzz', 'test/integration/storm.test.ts'];
results.push(tests(['unit', 'job'], fuzzed, { SEED: String(seed), FUZZ_RUNS: runs }));

if (!isShort) {
  say('\nA job that is killed after each of its effects, on real servers');
  results.push(tests(['faults'], ['test/faults/killed-job.test.ts'], { KILL_STRIDE: '1' }));
}

// At once: jobs of the model that were killed have left timers behind.
process.exit(results.every(Boolean) ? 0 : 1);
