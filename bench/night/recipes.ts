import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { numberField } from '../../core/adapters/redis/info.ts';
import { infoOf } from '../support/server.ts';

/** A published way to fragment a server, so that figures can be compared. */
export interface Recipe {
  readonly title: string;
  /** For the server's command line. */
  args(version: string): readonly string[];
  build(redis: Redis): Promise<void>;
}

const VALUES = 1_000_000;
/** Small enough that the server is not BUSY with one script. */
const CHUNK = 2000;
/** What has a TTL beyond it is left: a fifth of the keys. */
const EXPIRING_S = 250;

const FILL = `math.randomseed(ARGV[1]) for i = ARGV[1], ARGV[2] - 1 do
  redis.call('SETEX', 'key:' .. i, math.random(60, 300), string.rep('a', math.random(100, 10000))) end`;
const KEEP = `for i = ARGV[1], ARGV[2] - 1 do redis.call('PERSIST', 'key:' .. i) end`;

/** The article's own: values of 100 B to 10 KB that expire after 60 to 300 s. What is left then stays, so that the end can be compared. */
function article(scale: number): Recipe {
  const count = Math.round(VALUES * scale);
  return {
    title: `the article's recipe: ${count} values of 100 B to 10 KB, of which most have expired`,
    args: () => [],
    async build(redis) {
      const began = performance.now();
      await inChunks(redis, FILL, count);
      await wait(Math.max(0, EXPIRING_S * 1000 - (performance.now() - began)));
      await inChunks(redis, KEEP, count);
    },
  };
}

async function inChunks(redis: Redis, script: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) await redis.eval(script, 0, from, Math.min(from + CHUNK, count));
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
    async build(redis) {
      for (const [count, size] of writes) await redis.call('DEBUG', 'POPULATE', count, 'asdf', size);
      await evicted(redis);
    },
  };
}

/** POPULATE goes beyond the limit, and a GB is then evicted for seconds, partly by each command: the server is not idle yet. */
async function evicted(redis: Redis): Promise<void> {
  for (let before: number | undefined, now = -1; before !== now; ) {
    await wait(1000);
    [before, now] = [now, numberField(await infoOf(redis), 'evicted_keys') ?? 0];
  }
}

/** As they are called on the command line. */
export function recipes(scale: number): Readonly<Record<string, Recipe>> {
  return {
    article: article(scale),
    compaction: populated('an LRU cache of 100 MB: 700,000 values of 240 B, then 170,000 of 492 B', '100mb', [
      [700_000, 240],
      [170_000, 492],
    ]),
    'compaction-large': populated('an LRU cache of 1 GB: 7,000,000 values of 150 B', '1gb', [[7_000_000, 150]]),
  };
}
