import type { ServerBinary } from '../cli/lab/binary.ts';
import type { Arm } from './night/arms.ts';
import { type Cell, measure, type Subject } from './night/measure.ts';
import { NOISES, refusalOf } from './night/noise/start.ts';
import { type NightOptions, nightOptions } from './night/options.ts';
import type { Recipe } from './night/recipes.ts';
import { nightTable } from './night/tables.ts';
import { noteInDocs } from './support/docs.ts';
import { bench } from './support/main.ts';
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
  const runs = options.runs === 1 ? 'one run each' : `medians of ${options.runs} runs`;
  return [`**${recipe.title}**, server ${binary.version}, ${runs}`, ...parts].join('\n\n');
}

/** In turns, so that the state of the machine affects all arms in the same way. */
async function compared(subject: Subject, { arms, runs }: NightOptions): Promise<string> {
  const rows = new Map<Arm, Cell[]>(arms.map((arm) => [arm, []]));
  for (let run = 1; run <= runs; run++) {
    for (const [arm, cells] of rows) {
      // Each run has other stops; all arms of one run have the same.
      const cell = await measure({ ...subject, seed: subject.seed + run }, arm);
      cells.push(cell);
      process.stderr.write(`${subject.noise}, ${arm.title}, ${run}: ${JSON.stringify(cell)}\n`);
    }
  }
  return nightTable([...rows].map(([{ title }, cells]) => ({ title, cells })));
}
