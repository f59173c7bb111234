import { Redis } from 'ioredis';
import { MIB } from '../../core/config/units.ts';

/** A client of the tests' own, beside the job's. */
export function clientOf({ port }: { readonly port: number }): Redis {
  return new Redis({ host: '127.0.0.1', port, protocol: 2, enableReadyCheck: false });
}

/** The server writes its values itself: sent over a connection, they would cost ten times as much of the processor. */
const WRITE = `
math.randomseed(tonumber(ARGV[1]))
for key = ARGV[2], ARGV[3] - 1 do redis.call('SETRANGE', KEYS[1] .. key, math.random(99, 9998), 'x') end`;
const DELETE = `
math.randomseed(tonumber(ARGV[1]))
local left = 0
for key = 0, ARGV[2] - 1 do
  if math.random() < 0.65 then redis.call('DEL', KEYS[1] .. key) else left = left + 1 end
end
return left`;

/** Values of 100 B to 10 KB. */
const MEAN_SIZE = 5050;
/** Written by one script: the server answers in between. */
const AT_ONCE = 4000;

/**
 * Fragments a server in a second or two: values of 100 B to 10 KB, of which all but a third are deleted at random. Returns the
 * number of keys that are left.
 *
 * @param prefix of the keys: in a Cluster, `{tag}` leads all of them to one shard
 */
export async function fragment(redis: Redis, bytes = 160 * MIB, prefix = ''): Promise<number> {
  const name = `${prefix}key:`;
  const seed = () => Math.floor(Math.random() * 2 ** 31);
  const keys = Math.ceil(bytes / MEAN_SIZE);
  for (let from = 0; from < keys; from += AT_ONCE)
    await redis.eval(WRITE, 1, name, seed(), from, Math.min(keys, from + AT_ONCE));
  const left = await redis.eval(DELETE, 1, name, seed(), keys);
  await sampled();
  return Number(left);
}

/** For tests that use a server one after the other: what earlier ones have defragmented, on a slow machine all of it, is fragmented again. */
export async function refragmented(redis: Redis, bytes = 160 * MIB): Promise<void> {
  const info = await redis.info('memory');
  const of = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  if (of('allocator_active') - of('allocator_allocated') > 0.25 * bytes) return;
  await redis.flushall();
  await fragment(redis, bytes);
}

/** Keeps `jemalloc-bg-thread` from returning pages by itself, so that a purge finds them. */
export async function retainPages(redis: Redis, bytes = 160 * MIB): Promise<void> {
  await redis.config('SET', 'jemalloc-bg-thread', 'no');
  const keys = Array.from({ length: Math.ceil(bytes / MIB) }, (_, index) => `big:${index}`);
  for (const key of keys) await redis.setrange(key, MIB - 1, 'x');
  await redis.del(...keys);
  await sampled();
}

/** INFO's memory figures are a sample that serverCron takes every 100 ms: a look sooner sees the time before. */
async function sampled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 500));
}

/** Every setting, to compare before and after. */
export async function settingsOf(redis: Redis): Promise<Readonly<Record<string, string>>> {
  const flat = (await redis.config('GET', '*')) as string[];
  return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])));
}
