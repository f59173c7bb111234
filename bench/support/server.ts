import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { ServerBinary } from '../../cli/lab/binary.ts';
import { clientOf } from '../../cli/lab/client.ts';
import { rssOf } from '../../cli/lab/demo/floor.ts';
import { findDefragServer } from '../../cli/lab/find.ts';
import { type RunningServer, type StartOptions, startServer } from '../../cli/lab/start.ts';
import { type InfoFields, numberField, parseInfo } from '../../core/adapters/redis/info.ts';
import { BenchError } from './main.ts';

/** A server that can defragment. @throws BenchError where none can be had */
export async function defragServer(): Promise<ServerBinary> {
  const found = await findDefragServer({ log: (text) => process.stderr.write(`${text}\n`) });
  if (found.kind === 'found') return found;
  throw new BenchError(`${found.reason}\n${found.install}`);
}

export interface Prepared extends AsyncDisposable {
  readonly server: RunningServer;
  readonly redis: Redis;
}

/** A key that stays, for the prober; recipes that evict may drop it, and the answer then costs the same. */
export const PROBE = 'bench:probe';

/** A server with the data in it that `build` writes, fragmented, its free pages decayed where it lets them. */
export async function prepared(
  binary: ServerBinary,
  build: (redis: Redis) => Promise<void>,
  options: StartOptions = {},
): Promise<Prepared> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startServer(binary, options));
  const redis = stack.adopt(clientOf(server), (client) => client.disconnect());
  await build(redis);
  await redis.set(PROBE, 'x'.repeat(100));
  await settled(redis);
  const kept = stack.move();
  return { server, redis, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What jemalloc's decay takes. It begins slowly: RSS that stands still before its end is not at rest. */
const DECAY_S = 10;

/** Until RSS no longer falls, so that every variant begins, and is measured, without the pages that leave by themselves. */
export async function settled(redis: Redis): Promise<void> {
  let before = Number.POSITIVE_INFINITY;
  for (let second = 1, quiet = 0; quiet < 3; second++) {
    await wait(1000);
    const rss = await rssOf(redis);
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

const POLL_S = 0.25;

/** How Redis' own defragger, switched on, ended. */
export interface Ended {
  readonly because: string;
  /** It ended by itself. The time of a run that was cut off says nothing about its speed. */
  readonly isWhole: boolean;
}

/** Until the defragger, which reports the CPU that it uses, has used none for `quietSeconds`: longer than a pause between two passes. */
export async function untilAtRest(redis: Redis, quietSeconds: number, capSeconds: number): Promise<Ended> {
  let hasBegun = false;
  for (let second = 0, quiet = 0; quiet < quietSeconds; second += POLL_S) {
    if (second >= capSeconds) return { because: `cut off after ${capSeconds} s`, isWhole: false };
    await wait(POLL_S * 1000);
    const isIdle = numberField(await infoOf(redis), 'active_defrag_running') === 0;
    hasBegun ||= !isIdle;
    quiet = isIdle ? quiet + POLL_S : 0;
  }
  return { because: hasBegun ? 'came to rest' : 'did not begin', isWhole: hasBegun };
}
