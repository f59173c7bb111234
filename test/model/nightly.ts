import { tryModel } from './run.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const steps = Number(process.env.STEPS ?? 100_000);
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
say(`${steps} steps from the seed ${seed} (again: SEED=${seed} npm run test:nightly)`);
const startedAt = performance.now();
const tried = await tryModel(steps, seed);
const { deeds, effects, killed } = tried;
say(
  `${tried.steps} steps, ${effects} effects of the job, worlds with a killed job: ${killed}; ${JSON.stringify(deeds)}; ${Math.round((performance.now() - startedAt) / 1000)} s`,
);
if (tried.failure !== undefined) {
  say(tried.failure);
  process.exitCode = 1;
} else say('No invariant was violated.');
