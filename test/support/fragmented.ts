import { Redis } from 'ioredis';
import { MIB } from '../../core/config/units.ts';

/** A client of the tests' own, beside the job's. */
export function clientOf({ port }: { readonly port: number }): Redis {
  return new Redis({ host: '127.0.0.1', port, protocol: 2, enableReadyCheck: false });
}

/**
 * Fragments a server in a second or two: values of 100 B to 10 KB, of which all but a third are deleted at random. Returns the
 * number of keys that are left.
 *
 * @param prefix of the keys: in a Cluster, `{tag}` leads all of them to one shard
 */
export async function fragment(redis: Redis, bytes = 160 * MIB, prefix = ''): Promise<number> {
  const source = 'x'.repeat(10_000);
  let keys = 0;
  for (let written = 0; written < bytes; ) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 1000; i++) {
      const size = 100 + Math.floor(Math.random() * 9900);
      pipeline.set(`${prefix}key:${keys++}`, source.slice(0, size));
      written += size;
    }
    await pipeline.exec();
  }
  const doomed = Array.from({ length: keys }, (_, index) => `${prefix}key:${index}`).filter(() => Math.random() < 0.65);
  for (let from = 0; from < doomed.length; from += 1000) await redis.del(...doomed.slice(from, from + 1000));
  await sampled();
  return keys - doomed.length;
}

/** For tests that use a server one after the other: what earlier ones have defragmented, on a slow machine all of it, is fragmented again. */
export async function refragmented(redis: Redis, bytes = 160 * MIB): Promise<void> {
  const info = await redis.info('memory');
  const of = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  if (of('allocator_active') - of('allocator_allocated') > 0.3 * bytes) return;
  await redis.flushall();
  await fragment(redis, bytes);
}

/** Keeps `jemalloc-bg-thread` from returning pages by itself, so that a purge finds them. */
export async function retainPages(redis: Redis, bytes = 160 * MIB): Promise<void> {
  await redis.config('SET', 'jemalloc-bg-thread', 'no');
  const value = 'x'.repeat(MIB);
  const keys = Array.from({ length: Math.ceil(bytes / MIB) }, (_, index) => `big:${index}`);
  for (const key of keys) await redis.set(key, value);
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
