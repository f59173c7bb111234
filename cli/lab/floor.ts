import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from '../../core/adapters/redis/client.ts';
import { numberField, parseInfo } from '../../core/adapters/redis/info.ts';
import type { Bytes } from '../../core/config/units.ts';
import type { ServerBinary } from './binary.ts';
import { clientOf } from './client.ts';
import { startServer } from './start.ts';

export async function rssOf(redis: Redis): Promise<Bytes> {
  return numberField(parseInfo(await redis.info('memory')), 'used_memory_rss') ?? 0;
}

/** The server's own folder, which goes with it, however this process ends. */
export async function folderOf(redis: Redis): Promise<string> {
  const [, dir = '.'] = (await redis.config('GET', 'dir')) as string[];
  return dir;
}

/** Measures a fresh server that has loaded the same data. The snapshot is written by SAVE, which blocks: only for a server of one's own. */
export async function onFreshCopy<T>(
  binary: ServerBinary,
  redis: Redis,
  measure: (copy: Redis) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await redis.save();
  await using fresh = await startServer(binary, { args: ['--dir', await folderOf(redis)], signal });
  const copy = clientOf(fresh);
  try {
    while (parseInfo(await copy.info('persistence')).get('loading') !== '0') await wait(50);
    return await measure(copy);
  } finally {
    copy.disconnect();
  }
}

/** What a restart would have left. */
export function restartFloor(binary: ServerBinary, redis: Redis, signal?: AbortSignal): Promise<Bytes> {
  const purged = async (copy: Redis) => {
    await copy.call('MEMORY', 'PURGE');
    await wait(1000);
    return await rssOf(copy);
  };
  return onFreshCopy(binary, redis, purged, signal);
}
