import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { numberField } from '../../core/adapters/redis/info.ts';
import { countText } from '../../core/format/units.ts';
import { infoOf } from './at-rest.ts';
import { SHAPES } from './shapes.ts';

/** A way to fragment a server that gives the same data each time, so that figures can be compared. */
export interface Recipe {
  readonly title: string;
  /** For the server's command line. */
  args(version: string): readonly string[];
  /** @throws the watch's signal's reason */
  build(redis: Redis, watch?: Watch): Promise<void>;
}

/** What a person sees while a server is being fragmented. */
export interface Watch {
  readonly signal?: AbortSignal;
  /** `share` from 0 to 1. */
  progress?(what: string, share: number): void;
  /** Of the article: seconds of its clock since everything was written, and when all that has expired is removed. */
  moment?(when: number | 'swept'): Promise<void>;
}

/** Small enough that the server is not BUSY with one script. */
const CHUNK = 2000;
/** Runs `script` for keys 0 to `count`: ARGV[1] and [2] are the first and the one after the last of a chunk, [3] its random seed, and [4] on `more`. */
export async function inChunks(
  redis: Redis,
  script: string,
  count: number,
  seed: number,
  { signal, progress }: Watch,
  what: string,
  more: readonly number[] = [],
): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) {
    signal?.throwIfAborted();
    // The same random numbers for the same keys, whatever the script does with them.
    const random = (seed * 1_000_003 + from) % 2_147_483_647;
    await redis.eval(script, 0, from, Math.min(from + CHUNK, count), random, ...more);
    progress?.(what, Math.min(1, (from + CHUNK) / count));
  }
}

/** The LRU cache of Redis' own defrag test, which the papers on compaction use as well: written once, then partly evicted. */
function populated(title: string, limit: string, writes: readonly (readonly [count: number, size: number])[]): Recipe {
  return {
    title,
    args: (version) => [
      // Before Redis 7, DEBUG is always on, and the setting is unknown.
      ...(Number.parseInt(version, 10) >= 7 ? ['--enable-debug-command', 'local'] : []),
      ...['--maxmemory', limit, '--maxmemory-policy', 'allkeys-lru'],
    ],
    async build(redis, watch = {}) {
      for (const [at, [count, size]] of writes.entries()) {
        watch.progress?.('writing', at / writes.length);
        await redis.call('DEBUG', 'POPULATE', count, 'asdf', size);
      }
      await evicted(redis, watch.signal);
    },
  };
}

/** POPULATE goes beyond the limit, and a GB is then evicted for seconds, partly by each command: the server is not idle yet. */
async function evicted(redis: Redis, signal: AbortSignal | undefined): Promise<void> {
  for (let before: number | undefined, now = -1; before !== now; ) {
    await wait(1000, undefined, signal && { signal });
    [before, now] = [now, numberField(await infoOf(redis), 'evicted_keys') ?? 0];
  }
}

export const COMPACTION = populated('an LRU cache of 100 MB: 700,000 values of 240 B, then 170,000 of 492 B', '100mb', [
  [700_000, 240],
  [170_000, 492],
]);

export const COMPACTION_LARGE = populated('an LRU cache of 1 GB: 7,000,000 values of 150 B', '1gb', [[7_000_000, 150]]);

/** Statements in turn, each for all keys. */
function written(title: string, count: number, seed: number, statements: readonly string[]): Recipe {
  return {
    title,
    args: () => [],
    async build(redis, watch = {}) {
      for (const [at, statement] of statements.entries()) {
        const script = `math.randomseed(ARGV[3]) for i = ARGV[1], ARGV[2] - 1 do local key = 'key:' .. i ${statement} end`;
        // Each with random numbers of its own.
        const own = seed + at * 1013;
        await inChunks(redis, script, count, own, watch, `writing, ${at + 1} of ${statements.length}`);
      }
    },
  };
}

export const SIZES_VALUES = 300_000;

/** What a release does that stores a few fields more: nothing of the new size fits where the old one was. */
export function sizesRecipe(scale: number, seed: number): Recipe {
  const count = Math.round(SIZES_VALUES * scale);
  return written(`${countText(count)} values of 1,000 B, of which half are written anew with 1,300 B`, count, seed, [
    `redis.call('SET', key, string.rep('a', 1000))`,
    `if math.random() < 0.5 then redis.call('SET', key, string.rep('a', 1300)) end`,
  ]);
}

export const CHURN_VALUES = 200_000;
const ROUNDS = 8;

/** A cache that is written all the time, while its values become smaller. */
export function churnRecipe(scale: number, seed: number): Recipe {
  const count = Math.round(CHURN_VALUES * scale);
  const largest = (round: number) => Math.round(10_000 * 0.8 ** round);
  const rounds = Array.from(
    { length: ROUNDS },
    (_, round) =>
      `if math.random() < 0.4 then redis.call('SET', key, string.rep('a', math.random(100, ${largest(round + 1)}))) end`,
  );
  const title = `${countText(count)} values of 100 B to 10 KB, written anew ${ROUNDS} times, 40 % each time, ever smaller`;
  return written(title, count, seed, [
    `redis.call('SET', key, string.rep('a', math.random(100, ${largest(0)})))`,
    ...rounds,
  ]);
}

export const HASHES_MEGABYTES = 400;

/** Hashes of which three quarters of the fields are deleted. Their seed is fixed. */
export function hashesRecipe(scale: number): Recipe {
  const megabytes = HASHES_MEGABYTES * scale;
  return {
    title: `hashes of 100 fields, ${countText(megabytes)} MiB, of which three quarters are then deleted`,
    args: () => [],
    async build(redis, watch = {}) {
      watch.progress?.('writing', 0);
      await SHAPES.hashes?.build(redis, megabytes);
      watch.signal?.throwIfAborted();
    },
  };
}
