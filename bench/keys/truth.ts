import { deflateRawSync } from 'node:zlib';
import type { Redis } from 'ioredis';

// What is really at stake, by doing what the findings advise to all keys of a pattern, and asking the server for every key before and after.
// Each of these changes the server.

const PAGE = 2000;

/** All keys that a pattern stands for: a pattern is a glob, too. */
async function* keysOf(redis: Redis, pattern: string): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', PAGE);
    if (keys.length > 0) yield keys;
    cursor = next;
  } while (cursor !== '0');
}

/** The sum of a number that Lua makes of each key `k`. */
async function sumOver(redis: Redis, pattern: string, body: string): Promise<number> {
  const script = `local s = 0 for _, k in ipairs(KEYS) do ${body} end return tostring(s)`;
  let sum = 0;
  for await (const keys of keysOf(redis, pattern)) sum += Number(await redis.eval(script, keys.length, ...keys));
  return sum;
}

const USAGE = `redis.call('MEMORY', 'USAGE', k, 'SAMPLES', '0')`;

function usageOf(redis: Redis, pattern: string): Promise<number> {
  return sumOver(redis, pattern, `s = s + ${USAGE}`);
}

/** Of those without a TTL. */
async function withoutTtl(redis: Redis, pattern: string): Promise<number> {
  return await sumOver(redis, pattern, `if redis.call('PTTL', k) == -1 then s = s + ${USAGE} end`);
}

/** What the server says beyond what the same name with a number as its value takes, less the value and its header. */
async function rounding(redis: Redis, pattern: string): Promise<number> {
  const body = `local n = redis.call('STRLEN', k) local h = n < 256 and 4 or n < 65536 and 6 or 10
    local t = 'truth:' .. string.rep('x', #k - 6) redis.call('SET', t, 12345)
    s = s + ${USAGE} - redis.call('MEMORY', 'USAGE', t) - n - h redis.call('DEL', t)`;
  return await sumOver(redis, pattern, body);
}

const ENTRIES = 100;

async function pack(redis: Redis, pattern: string): Promise<number> {
  const before = await usageOf(redis, pattern);
  const [start = '', end = ''] = pattern.split('*');
  const body = `local id = string.sub(k, ${start.length + 1}, #k - ${end.length})
    redis.call('HSET', 'packed:' .. math.floor(id / ${ENTRIES}), id, redis.call('GET', k)) redis.call('DEL', k)`;
  await sumOver(redis, pattern, body);
  return before - (await usageOf(redis, 'packed:*'));
}

async function encode(redis: Redis, pattern: string): Promise<number> {
  const before = await usageOf(redis, pattern);
  for (const setting of ['hash-max-listpack-entries', 'zset-max-listpack-entries'])
    await redis.config('SET', setting, '1000');
  await sumOver(redis, pattern, `local d = redis.call('DUMP', k) redis.call('RESTORE', k, 0, d, 'REPLACE')`);
  return before - (await usageOf(redis, pattern));
}

/** Shorter values are not read. */
const READ_FROM = 1024;

async function compress(redis: Redis, pattern: string): Promise<number> {
  const before = await usageOf(redis, pattern);
  for await (const keys of keysOf(redis, pattern)) {
    const values = await redis.mgetBuffer(...keys);
    const pipeline = redis.pipeline();
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value && value.length >= READ_FROM) pipeline.set(key, deflateRawSync(value), 'KEEPTTL');
    }
    await pipeline.exec();
  }
  return before - (await usageOf(redis, pattern));
}

/** In this order: what is only counted comes before what changes the values. */
const MEASURES = {
  'ttl-missing': withoutTtl,
  'never-expires': withoutTtl,
  rounding,
  pack,
  encoding: encode,
  compressible: compress,
} as const;

type Measured = keyof typeof MEASURES;

export interface Truth {
  readonly kind: Measured;
  readonly pattern: string;
  readonly bytes: number;
}

/** The bytes that each planted finding is really about. The server is another one afterwards. */
export async function truths(
  redis: Redis,
  plants: readonly { readonly pattern: string; readonly finds: readonly string[] }[],
): Promise<readonly Truth[]> {
  const found: Truth[] = [];
  for (const [kind, measure] of Object.entries(MEASURES))
    for (const { pattern, finds } of plants)
      if (finds.includes(kind)) found.push({ kind: kind as Measured, pattern, bytes: await measure(redis, pattern) });
  return found;
}
