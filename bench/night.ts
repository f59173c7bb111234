import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { articleRecipe } from '../cli/lab/article.ts';
import type { ServerBinary } from '../cli/lab/binary.ts';
import { COMPACTION, COMPACTION_LARGE, type Recipe } from '../cli/lab/recipes.ts';
import { ARMS, type Arm } from './night/arms.ts';
import { NOISES, type NoiseKind, refusalOf } from './night/noise/start.ts';
import { measure, nightTable, type Subject } from './night/results.ts';
import { BenchError, bench, chosen, countOf, inTurns, noteInDocs, runsText } from './support/main.ts';
import { defragServer } from './support/server.ts';

/** As they are called on the command line. */
const recipes = (scale: number): Readonly<Record<string, Recipe>> => ({
  article: articleRecipe({ values: Math.round(1_000_000 * scale) }),
  compaction: COMPACTION,
  'compaction-large': COMPACTION_LARGE,
});
const OPTIONS = {
  server: { type: 'string' },
  recipe: { type: 'string', multiple: true, default: Object.keys(recipes(1)) },
  arm: { type: 'string', multiple: true, default: Object.keys(ARMS) },
  noise: { type: 'string', multiple: true, default: ['none'] },
  runs: { type: 'string', default: '1' },
  scale: { type: 'string', default: '0.25' },
  seed: { type: 'string', default: '1' },
} satisfies ParseArgsOptionsConfig;

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

type NightOptions = ReturnType<typeof nightOptions>;

/** @throws BenchError for a mistake in the command line */
function nightOptions() {
  const { values } = parseArgs({ options: OPTIONS });
  // The search for a server begins with it, and reports its mistakes.
  if (values.server !== undefined) process.env.REDIS_SERVER = values.server;
  const arms = chosen('--arm', values.arm, ARMS);
  return {
    recipes: chosen('--recipe', values.recipe, recipes(scaleOf(values.scale))),
    arms: arms.map(([, arm]) => arm),
    noises: noisesOf(values.noise),
    runs: countOf('--runs', values.runs),
    seed: countOf('--seed', values.seed),
    /** All arms: an incomplete table is not for the page. */
    isWhole: Object.values(ARMS).every((arm) => arms.some(([, one]) => one === arm)),
  };
}

/** `all`: one after the other, each with a table of its own. */
function noisesOf(names: readonly string[]): readonly NoiseKind[] {
  const kinds = Object.keys(NOISES) as NoiseKind[];
  return names.flatMap((name) => {
    const known = kinds.filter((kind) => name === kind || name === 'all');
    if (known.length === 0) throw new BenchError(`--noise ${name}: accepted are ${kinds.join(', ')}, all`);
    return known;
  });
}

function scaleOf(value: string): number {
  const scale = Number(value);
  if (scale > 0 && scale <= 100) return scale;
  throw new BenchError(`--scale ${value}: a number above 0, up to 100, is accepted`);
}
