import { spawnSync } from 'node:child_process';
import { tryModel } from './model/run.ts';

/** `npm run test:nightly`: sequences and cases that nobody has seen before, and many more of them than in `npm test`. */
const steps = Number(process.env.STEPS ?? 100_000);
const runs = process.env.FUZZ_RUNS ?? '10000';
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const say = (text: string) => process.stdout.write(`${text}\n`);

say(`The model: ${steps} steps from the seed ${seed} (again: SEED=${seed} npm run test:nightly)`);
const startedAt = performance.now();
const { deeds, effects, killed, failure, ...tried } = await tryModel(steps, seed);
const seconds = Math.round((performance.now() - startedAt) / 1000);
say(
  `${tried.steps} steps, ${effects} effects of the job, worlds with a killed job: ${killed}; ${JSON.stringify(deeds)}; ${seconds} s`,
);
say(failure ?? 'No invariant was violated.');

say(`\nFuzzing: ${runs} cases of each property from the seed ${seed}`);
const args = ['vitest', 'run', '--project', 'job', '--testTimeout=3600000', 'test/fuzz'];
const env = { ...process.env, SEED: String(seed), FUZZ_RUNS: runs };
const { status } = spawnSync('npx', args, { env, stdio: 'inherit' });
process.exitCode = failure === undefined && status === 0 ? 0 : 1;
