import type { ServerBinary } from '../cli/lab/binary.ts';
import type { Arm } from './night/arms.ts';
import { measure, type Subject } from './night/measure.ts';
import { NOISES, refusalOf } from './night/noise/start.ts';
import { type NightOptions, nightOptions } from './night/options.ts';
import type { Recipe } from './night/recipes.ts';
import { nightTable } from './night/tables.ts';
import { bench, inTurns, noteInDocs, runsText } from './support/main.ts';
import { defragServer } from './support/server.ts';

/**
 * `npm run bench:night`: recipes that others have published, and the results of a purge, Redis' own defaults, Offpeak's default policy and a
 * restart side by side, for the memory and for the clients; on a quiet machine, and on one with noisy neighbours.
 */
await bench('night', async () => {
  const options = nightOptions();
  const binary = await defragServer();
  for (const [name, recipe] of options.recipes) {
    const text = await night(binary, recipe, options);
    process.stdout.write(`\n${text}\n`);
    if (options.isWhole) noteInDocs(`night-${name}`, text);
  }
});

/** A table for each noise. */
async function night(binary: ServerBinary, recipe: Recipe, options: NightOptions): Promise<string> {
  const parts: string[] = [];
  for (const noise of options.noises) {
    const refusal = await refusalOf(noise);
    const table =
      refusal === undefined
        ? await compared({ binary, recipe, noise, seed: options.seed }, options)
        : `Skipped: ${refusal}.`;
    parts.push(`With ${NOISES[noise]}:\n\n${table}`);
  }
  return [`**${recipe.title}**, server ${binary.version}, ${runsText(options.runs)}`, ...parts].join('\n\n');
}

/** Each run has other stops; all arms of one run have the same. */
async function compared(subject: Subject, { arms, runs }: NightOptions): Promise<string> {
  const cell = (arm: Arm, run: number) => measure({ ...subject, seed: subject.seed + run }, arm);
  const rows = await inTurns(subject.noise, arms, runs, cell);
  return nightTable(rows.map(([{ name }, cells]) => ({ name, cells })));
}
