import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { BenchError, chosen, countOf } from '../support/main.ts';
import { ARMS, type Arm } from './arms.ts';
import { NOISES, type NoiseKind } from './noise/start.ts';
import { type Recipe, recipes } from './recipes.ts';

export interface NightOptions {
  readonly recipes: readonly (readonly [name: string, recipe: Recipe])[];
  readonly arms: readonly Arm[];
  readonly noises: readonly NoiseKind[];
  readonly runs: number;
  readonly seed: number;
  /** All arms: an incomplete table is not for the page. */
  readonly isWhole: boolean;
}

const RECIPES = Object.keys(recipes(1));
const OPTIONS = {
  server: { type: 'string' },
  recipe: { type: 'string', multiple: true, default: RECIPES },
  arm: { type: 'string', multiple: true, default: Object.keys(ARMS) },
  noise: { type: 'string', multiple: true, default: ['none'] },
  runs: { type: 'string', default: '1' },
  scale: { type: 'string', default: '0.25' },
  seed: { type: 'string', default: '1' },
} satisfies ParseArgsOptionsConfig;

/** @throws BenchError for a mistake in the command line */
export function nightOptions(): NightOptions {
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
