import type { Redis } from 'ioredis';

/** A pattern that is planted, and what is to be found in it. */
interface Plant {
  readonly pattern: string;
  /** Of a million keys. */
  readonly perMillion: number;
  /** Lua: writes the key number `i`; `r()` is a random number from 0 to 1. */
  readonly body: string;
  /** Kinds of findings, each of which must be found with its bytes within its interval. */
  readonly finds: readonly string[];
}

/** Text that compresses as JSON does: words over and over, with numbers between. */
const TEXT = `local t = {} for j = 1, 6 + math.floor(r() * 30) do
  t[j] = '{"id":' .. math.floor(r() * 1e9) .. ',"name":"customer","status":"active","tags":["a","b"],"score":' .. r() .. '}' end
  local v = table.concat(t, ',')`;

const HEX = `string.format('%08x%08x', math.floor(r() * 4294967295), i)`;
const UUID = `string.format('%08x-%04x-4%03x-a%03x-%012x', i, i % 65536, i % 4096, i % 4096, i)`;

export const PLANTS: readonly Plant[] = [
  {
    pattern: 'cfg:*:flag',
    perMillion: 700_000,
    body: `redis.call('SET', 'cfg:' .. i .. ':flag', string.rep('v', 10 + math.floor(r() * 12)))`,
    finds: ['pack', 'never-expires'],
  },
  {
    // 1026 to 1058 bytes with their headers: most just above the class of 1024.
    pattern: 'session:*',
    perMillion: 180_000,
    body: `local k = 'session:' .. ${UUID} local v = string.rep('s', 1020 + math.floor(r() * 33))
      if r() < 0.08 then redis.call('SET', k, v) else redis.call('SET', k, v, 'EX', 600 + math.floor(r() * 35000)) end`,
    finds: ['rounding', 'ttl-missing'],
  },
  {
    pattern: 'cache:page:*',
    perMillion: 80_000,
    body: `${TEXT} redis.call('SET', 'cache:page:' .. ${HEX}, v, 'EX', 600 + math.floor(r() * 3000))`,
    finds: ['compressible'],
  },
  {
    pattern: 'user:*:profile',
    perMillion: 1000,
    body: `for e = 1, 520 + math.floor(r() * 200) do
      redis.call('HSET', 'user:' .. i .. ':profile', 'field' .. e, 'value-' .. e) end`,
    finds: ['encoding'],
  },
  {
    pattern: 'board:*',
    perMillion: 2000,
    body: `for e = 1, 130 + math.floor(r() * 100) do redis.call('ZADD', 'board:' .. i, math.floor(r() * 100000), 'player' .. e) end`,
    finds: ['encoding'],
  },
  {
    pattern: 'job:*',
    perMillion: 37_000,
    body: `redis.call('HSET', 'job:' .. i, 'state', 'done', 'at', i, 'by', 'worker' .. i % 10) redis.call('EXPIRE', 'job:' .. i, 86400)`,
    finds: [],
  },
];

/** Keys in one script: short enough that the server is not busy with it for long. */
const CHUNK = 20_000;

/** Writes the plants for `keys` keys in all, the same each time. */
export async function plant(redis: Redis, keys: number): Promise<void> {
  for (const [index, { perMillion, body }] of PLANTS.entries()) {
    const count = Math.round((keys * perMillion) / 1_000_000);
    for (let from = 0; from < count; from += CHUNK) {
      const script = `math.randomseed(tonumber(ARGV[1]) + ${index}) local r = math.random for i = ARGV[1], ARGV[2] do ${body} end`;
      await redis.eval(script, 0, from, Math.min(from + CHUNK, count) - 1);
    }
  }
}
