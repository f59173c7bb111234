import { setTimeout as wait } from 'node:timers/promises';
import { countText } from '../../core/format/units.ts';
import { inChunks, type Recipe, type Watch } from './recipes.ts';

/** What has a TTL beyond it is left: a sixth of the keys. At five minutes the article's script leaves none. */
export const EXPIRING_S = 260;
const MOMENTS_S = [0, 60, 120, 180, 240, EXPIRING_S];
/** Longer than anything takes, in seconds. */
const KEPT_S = 36_000;

/** Each key by itself, from a seed: the statement may use `i`, `ttl`, `size`, `key`, and ARGV[7] on. */
const eachValue = (statement: string) => `math.randomseed(ARGV[3]) for i = ARGV[1], ARGV[2] - 1 do
  local ttl, size, key = math.random(60, 300), math.random(100, 10000), 'key:' .. i
  if size >= tonumber(ARGV[4]) and size < tonumber(ARGV[5]) then
    if ARGV[6] == '1' then local power = 128 while power < size do power = power * 2 end size = power end
    ${statement}
  end end`;

const FILL = eachValue(`redis.call('SETEX', key, ttl + ${KEPT_S}, string.rep('a', size))`);
/** Only now, however long writing took: what expires before everything is written leaves gaps that are filled again. */
const DATE = eachValue(
  `local after = ttl > ${EXPIRING_S} and ${KEPT_S} * 1000 or ttl * 1000 / ARGV[8]
   redis.call('PEXPIREAT', key, string.format('%.0f', ARGV[7] + after))`,
);
/** Redis is late with some of what has expired. What is left then stays, so that the end can be compared. */
const KEEP = eachValue(`redis.call(ttl > ${EXPIRING_S} and 'PERSIST' or 'DEL', key)`);

/** Which of the article's values a server gets, and how they are stored. */
export interface ArticleOptions {
  readonly values: number;
  /** Another seed: other sizes and TTLs. */
  readonly seed?: number;
  /** How many times faster TTLs run than the article's. */
  readonly clock?: number;
  /** Only values of these sizes (bytes, the end excluded): the article's sharding by size. */
  readonly sizes?: readonly [from: number, to: number];
  /** Each value padded to the next power of two, as the article advises. */
  readonly isPadded?: boolean;
}

/** The article's own: values of 100 B to 10 KB that expire after 60 to 300 s. */
export function articleRecipe({ values, seed = 1, clock = 1, sizes, isPadded }: ArticleOptions): Recipe {
  const [from, to] = sizes ?? [0, 1_000_000];
  const given = [from, to, isPadded ? 1 : 0];
  return {
    title: `the article's recipe: ${countText(values)} values of 100 B to 10 KB, of which most have expired`,
    args: () => [],
    async build(redis, watch = {}) {
      const all = (what: string, script: string, ...more: readonly number[]) =>
        inChunks(redis, script, values, seed, watch, what, [...given, ...more]);
      await all('writing', FILL);
      const began = Date.now();
      await all('dating', DATE, began, clock);
      for (const moment of MOMENTS_S) {
        await until(began + (moment * 1000) / clock, watch, (left) =>
          watch.progress?.('expiring', Math.max(0, 1 - left / ((EXPIRING_S * 1000) / clock))),
        );
        await watch.moment?.(moment);
      }
      await all('keeping', KEEP);
      await watch.moment?.('swept');
    },
  };
}

async function until(at: number, { signal }: Watch, onSecond: (left: number) => void): Promise<void> {
  for (let left = at - Date.now(); left > 0; left = at - Date.now()) {
    onSecond(left);
    await wait(Math.min(left, 1000), undefined, signal && { signal });
  }
}
