import type { Redis } from 'ioredis';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { clientOf } from '../../cli/lab/client.ts';
import { findDefragServer } from '../../cli/lab/find.ts';
import { type RunningServer, type StartOptions, startServer } from '../../cli/lab/start.ts';
import { type InfoFields, numberField, parseInfo } from '../../core/adapters/redis/info.ts';
import { BenchError } from './main.ts';
import type { Shape } from './shapes.ts';

/** A server that can defragment. @throws BenchError where none can be had */
export async function defragServer(): Promise<ServerBinary> {
  const found = await findDefragServer({ log: (text) => process.stderr.write(`${text}\n`) });
  if (found.kind === 'found') return found;
  throw new BenchError(`${found.reason}\n${found.install}`);
}

export interface Prepared extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
  info(): Promise<InfoFields>;
}

/** A server with the shape's data in it, fragmented, its free pages decayed where it lets them. */
export async function prepared(
  binary: ServerBinary,
  shape: Shape,
  megabytes: number,
  port?: number,
): Promise<Prepared> {
  const build = (redis: Redis) => shape.build(redis, megabytes);
  return preparedBy(binary, build, port === undefined ? {} : { port });
}

/** The same with data of any other kind. */
export async function preparedBy(
  binary: ServerBinary,
  build: (redis: Redis) => Promise<void>,
  options: StartOptions = {},
): Promise<Prepared> {
  const server = await startServer(binary, options);
  const redis = clientOf(server);
  const dispose = async () => {
    redis.disconnect();
    await server.stop();
  };
  try {
    await build(redis);
    await settled(redis);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { server, redis, info: () => infoOf(redis), [Symbol.asyncDispose]: dispose };
}

/** What jemalloc's decay takes. It begins slowly: RSS that stands still before its end is not at rest. */
const DECAY_S = 10;

/** Until RSS no longer falls, so that every variant begins, and is measured, without the pages that leave by themselves. */
export async function settled(redis: Redis): Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  for (let second = 1, quiet = 0; quiet < 3; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const rss = numberField(await infoOf(redis), 'used_memory_rss') ?? 0;
    quiet = second > DECAY_S && rss > before * 0.998 ? quiet + 1 : 0;
    before = rss;
  }
}

export async function infoOf(redis: Redis): Promise<InfoFields> {
  return parseInfo(await redis.info());
}

export function cpuSeconds(info: InfoFields): number {
  return (numberField(info, 'used_cpu_user') ?? 0) + (numberField(info, 'used_cpu_sys') ?? 0);
}
