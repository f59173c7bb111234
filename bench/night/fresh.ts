import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { clientOf } from '../../cli/lab/client.ts';
import { startServer } from '../../cli/lab/start.ts';
import { type InfoFields, numberField } from '../../core/adapters/redis/info.ts';
import { cpuSeconds, infoOf, settled } from '../support/server.ts';

/** What a restart leaves, and what it costs. */
export interface Fresh {
  /** Bytes. */
  readonly rss: number;
  /** From SAVE to the last key being loaded: for this long clients have no server. */
  readonly seconds: number;
  readonly cpu: number;
}

/** A fresh server that has loaded the same data, at rest. SAVE blocks, but now only the bench uses this server. */
export async function freshServer(binary: ServerBinary, redis: Redis): Promise<Fresh> {
  const began = performance.now();
  const before = cpuSeconds(await infoOf(redis));
  await redis.save();
  const saving = cpuSeconds(await infoOf(redis)) - before;
  const [, dir = '.'] = (await redis.config('GET', 'dir')) as string[];
  await using server = await startServer(binary, { args: ['--dir', dir] });
  const client = clientOf(server);
  try {
    const loaded = await untilLoaded(client);
    const seconds = (performance.now() - began) / 1000;
    await settled(client);
    const rss = numberField(await infoOf(client), 'used_memory_rss') ?? 0;
    return { rss, seconds, cpu: saving + cpuSeconds(loaded) };
  } finally {
    client.disconnect();
  }
}

async function untilLoaded(client: Redis): Promise<InfoFields> {
  for (;;) {
    const info = await infoOf(client);
    if (info.get('loading') === '0') return info;
    await wait(50);
  }
}
