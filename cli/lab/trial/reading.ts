import type { Redis } from 'ioredis';
import { type InfoFields, numberField } from '../../../core/adapters/redis/info.ts';
import { infoOf } from '../at-rest.ts';
import { LabProblem, type Reading, sumOf } from './result.ts';

/** @throws LabProblem for a server whose INFO has no figures of its allocator */
export async function readingOf(redis: Redis): Promise<Reading> {
  const info = await infoOf(redis);
  const field = (name: string) => fieldOf(info, name);
  const [active, resident] = [field('allocator_active'), field('allocator_resident')];
  const allocated = field('allocator_allocated');
  const rss = field('used_memory_rss');
  return {
    keys: await redis.dbsize(),
    used: field('used_memory'),
    rss,
    layers: {
      allocated,
      externalFragmentation: active - allocated,
      freePages: resident - active,
      overhead: rss - resident,
    },
  };
}

/** Of all servers of a site together. */
export async function readingOfAll(all: readonly Redis[]): Promise<Reading> {
  return sumOf(await Promise.all(all.map(readingOf)));
}

function fieldOf(info: InfoFields, name: string): number {
  const value = numberField(info, name);
  if (value === undefined)
    throw new LabProblem(`this server's INFO has no ${name}; accepted: Redis 5 and newer, Valkey`);
  return value;
}

/** Milliseconds after which jemalloc begins to return free pages, as MEMORY MALLOC-STATS says; undefined where it does not. */
export async function dirtyDecayOf(redis: Redis): Promise<number | undefined> {
  const stats = String(await redis.call('MEMORY', 'MALLOC-STATS'));
  const [, value] = /opt\.dirty_decay_ms: (-?\d+)/.exec(stats) ?? [];
  return value === undefined ? undefined : Number(value);
}
