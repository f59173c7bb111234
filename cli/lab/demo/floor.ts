import type { Redis } from '../../../core/adapters/redis/client.ts';
import { numberField, parseInfo } from '../../../core/adapters/redis/info.ts';
import type { Bytes } from '../../../core/config/units.ts';
import type { ServerBinary } from '../binary.ts';
import { clientOf } from '../client.ts';
import { startServer } from '../start.ts';

export async function rssOf(redis: Redis): Promise<Bytes> {
  return numberField(parseInfo(await redis.info('memory')), 'used_memory_rss') ?? 0;
}

/**
 * What a restart would have left: the RSS of a fresh server that has loaded the same data. The snapshot is written by SAVE, which
 * blocks: only the demo uses this server.
 */
export async function restartFloor(
  binary: ServerBinary,
  redis: Redis,
  dir: string,
  signal: AbortSignal,
): Promise<Bytes> {
  await redis.save();
  await using fresh = await startServer(binary, { args: ['--dir', dir], signal });
  const client = clientOf(fresh);
  try {
    await loaded(client);
    await client.call('MEMORY', 'PURGE');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return await rssOf(client);
  } finally {
    client.disconnect();
  }
}

async function loaded(client: Redis): Promise<void> {
  for (;;) {
    const persistence = parseInfo(await client.info('persistence'));
    if (persistence.get('loading') === '0') return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
