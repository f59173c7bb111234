import type { Redis } from 'ioredis';
import { MIB } from '../../core/config/units.ts';

/** Data that fragments a server the same way each time: written and thinned by the server itself, from a seed. */
export interface Shape {
  readonly name: string;
  /** Its size is fixed. */
  readonly isFixed?: true;
  build(redis: Redis, megabytes: number): Promise<void>;
}

/** Small enough that the server is not BUSY with one script. */
const CHUNK = 20_000;
const KEPT_MS = 3_600_000;
/** The share that has expired, scattered. */
const GONE = 0.65;
/** Of a hash or a sorted set, of which three quarters are then deleted. */
const ELEMENTS = 100;
const VALUE = `string.rep('x', 60 + math.floor(math.random() * 60))`;

/** Keys `k:<from>` to `k:<to>` by `body`, a Lua statement that may use `i` and `r` (a random number up to 1 that only i decides). */
async function each(redis: Redis, count: number, body: string): Promise<void> {
  const script = `math.randomseed(tonumber(ARGV[1])) for i = ARGV[1], ARGV[2] do local r = math.random() ${body} end`;
  for (let from = 0; from < count; from += CHUNK) {
    await redis.eval(script, 0, from, Math.min(from + CHUNK, count) - 1);
  }
}

/** As many keys as make the megabytes, with what each takes; every statement for all of them, in order. */
function shape(name: string, bytes: number, ...statements: readonly string[]): Shape {
  return {
    name,
    async build(redis, megabytes) {
      for (const one of statements) await each(redis, Math.round((megabytes * MIB) / bytes), one);
    },
  };
}

function strings(name: string, smallest: number, largest: number, overhead: number): Shape {
  const size = `${smallest} + math.floor(r * ${largest - smallest})`;
  return shape(
    name,
    (smallest + largest) / 2 + overhead,
    `redis.call('SET', 'k:' .. i, string.rep('x', ${size}), 'PX', ${KEPT_MS})`,
    // Whether a key goes must not depend on its size.
    `if math.random() < ${GONE} then redis.call('DEL', 'k:' .. i) end`,
  );
}

function collections(name: string, add: string, remove: string): Shape {
  const parts = Array.from(
    { length: ELEMENTS / 20 },
    (_, part) => `for e = ${part * 20}, ${part * 20 + 19} do ${add} end`,
  );
  const deletion = `for e = 0, ${ELEMENTS - 1} do if math.random() < 0.75 then ${remove} end end`;
  return shape(name, ELEMENTS * 190, ...parts, deletion);
}

const GROWN_SIZE = '200 + math.floor(r * 800)';
const LARGE = shape(
  'large values deleted',
  550_000,
  `redis.call('SET', 'k:' .. i, string.rep('x', 100000 + math.floor(r * 900000)))`,
  `if i % 4 > 0 then redis.call('DEL', 'k:' .. i) end`,
);

/** As they are called on the command line. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  strings: strings('strings 100 B-10 KB, TTLs', 100, 10_000, 80),
  small: strings('strings 40-120 B, TTLs', 40, 120, 130),
  hashes: collections(
    'hashes, fields deleted',
    `redis.call('HSET', 'k:' .. i, 'field:' .. e, ${VALUE})`,
    `redis.call('HDEL', 'k:' .. i, 'field:' .. e)`,
  ),
  'sorted-sets': collections(
    'sorted sets, members deleted',
    `redis.call('ZADD', 'k:' .. i, math.random(), e .. ${VALUE})`,
    `local m = redis.call('ZRANGE', 'k:' .. i, 0, 0)[1] if m and e % 4 > 0 then redis.call('ZREM', 'k:' .. i, m) end`,
  ),
  /** Every value is written anew, a third larger: the old places fit nothing. */
  grown: shape(
    'values grown by a third',
    900,
    `redis.call('SET', 'k:' .. i, string.rep('x', ${GROWN_SIZE}))`,
    `if i % 2 == 0 then redis.call('SET', 'k:' .. i, string.rep('x', math.floor((${GROWN_SIZE}) * 4 / 3))) end`,
  ),
  /** Values of 100 KB to 1 MB, most of them deleted: whole runs of pages, which defrag does not see and a purge returns. */
  large: {
    ...LARGE,
    async build(redis, megabytes) {
      await redis.config('SET', 'jemalloc-bg-thread', 'no');
      await LARGE.build(redis, megabytes);
    },
  },
  /**
   * A list, a hash, a sorted set and a stream of some 100 MB each, and as large ones that grew beside them and are gone: what has to be
   * moved is inside of four values, which Redis takes up in parts (`active-defrag-max-scan-fields`).
   */
  huge: {
    name: 'list, hash, sorted set and stream of 100 MB each',
    isFixed: true,
    async build(redis) {
      await each(
        redis,
        550_000,
        `local v = ${VALUE}
         for _, k in ipairs({'k:', 'gone:'}) do
           redis.call('RPUSH', k .. 'list', v .. v) redis.call('HSET', k .. 'hash', 'field:' .. i, v)
           redis.call('ZADD', k .. 'zset', r, i .. v) redis.call('XADD', k .. 'stream', '*', 'field', v .. v)
         end`,
      );
      await redis.unlink('gone:list', 'gone:hash', 'gone:zset', 'gone:stream');
    },
  },
};
