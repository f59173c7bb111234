import type { Bytes } from '../../../core/config/units.ts';
import { MIB } from '../../../core/config/units.ts';
import { articleRecipe } from '../article.ts';
import {
  CHURN_VALUES,
  COMPACTION,
  COMPACTION_LARGE,
  churnRecipe,
  HASHES_MEGABYTES,
  hashesRecipe,
  type Recipe,
  SIZES_VALUES,
  sizesRecipe,
} from '../recipes.ts';
import type { RecipeName, Storage } from './arms.ts';

/** A recipe of the lab at one scale. */
export interface LabRecipe {
  recipe(storage: Storage): Recipe;
  /** Bytes that one server needs at its peak, that of a restart beside it included. */
  peak(storage: Storage): Bytes;
  /** How many times faster than the article's its TTLs run; absent without TTLs. */
  readonly clock?: number;
  /** The article's table, at its own clock, on a server of its own. */
  readonly table?: LabRecipe;
}

export interface RecipeOptions {
  /** A share of the recipe's own size. */
  readonly scale: number;
  readonly seed: number;
  readonly isLarge: boolean;
}

/** Measured at 250,000 and 1,000,000 values: RSS when everything is written, and what a restart takes beside what is left by then. */
const VALUE_BYTES = 5800;
/** An SDS header takes a padded value into the next size class: 8,192 bytes become 10,240. */
const PADDED_BYTES = 9900;
/** Of a server without data, and of one that is being started. */
const SERVER_BYTES = 40 * MIB;

/** Without a recipe: the article's, so small and quick that it takes less than two minutes. */
const SMALL = { values: 120_000, clock: 20 };
/** The article's arms, so that several fit beside one another into 8 GB. */
const ARMS = { values: 250_000, clock: 10 };
/** The article's own size and clock. */
const TABLE = { values: 1_000_000, clock: 1 };

/** @param name undefined: the smaller default */
export function labRecipe(name: RecipeName | undefined, options: RecipeOptions): LabRecipe {
  const { scale, seed, isLarge } = options;
  switch (name) {
    case undefined:
      return article(SMALL, options);
    case 'article':
      return { ...article(ARMS, options), table: article(TABLE, options) };
    case 'compaction':
      return fixed(isLarge ? COMPACTION_LARGE : COMPACTION, isLarge ? 2600 * MIB : 420 * MIB);
    case 'sizes':
      return fixed(sizesRecipe(scale, seed), SIZES_VALUES * scale * 2800);
    case 'hashes':
      return fixed(hashesRecipe(scale), HASHES_MEGABYTES * scale * 1.6 * MIB);
    case 'churn':
      return fixed(churnRecipe(scale, seed), CHURN_VALUES * scale * 6500);
  }
}

function article({ values, clock }: typeof SMALL, { scale, seed }: RecipeOptions): LabRecipe {
  const count = Math.max(1, Math.round(values * scale));
  return {
    clock,
    recipe: (storage) => articleRecipe({ values: count, seed, clock, ...storage }),
    peak: ({ isPadded }) => count * (isPadded ? PADDED_BYTES : VALUE_BYTES) + SERVER_BYTES,
  };
}

function fixed(recipe: Recipe, bytes: Bytes): LabRecipe {
  return { recipe: () => recipe, peak: () => bytes + SERVER_BYTES };
}
