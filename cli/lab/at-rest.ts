import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type InfoFields, numberField, parseInfo } from '../../core/adapters/redis/info.ts';
import { rssOf } from './floor.ts';

export async function infoOf(redis: Redis): Promise<InfoFields> {
  return parseInfo(await redis.info());
}

/** Of the server's process, since its start. */
export function cpuSeconds(info: InfoFields): number {
  return (numberField(info, 'used_cpu_user') ?? 0) + (numberField(info, 'used_cpu_sys') ?? 0);
}

/** What jemalloc's decay takes. It begins slowly: RSS that stands still before its end is not at rest. */
const DECAY_S = 10;

/**
 * Until RSS no longer falls, so that every arm begins, and is measured, without the pages that leave by themselves. Returns the seconds after
 * which RSS was where it stayed, within 1 %. @throws the signal's reason
 */
export async function settled(redis: Redis, signal?: AbortSignal): Promise<number> {
  const seen = [await rssOf(redis)];
  for (let quiet = 0; quiet < 3; ) {
    await wait(1000, undefined, signal && { signal });
    const before = seen.at(-1) ?? 0;
    const rss = await rssOf(redis);
    seen.push(rss);
    quiet = seen.length > DECAY_S + 1 && rss > before * 0.998 ? quiet + 1 : 0;
  }
  const last = seen.at(-1) ?? 0;
  return seen.findIndex((rss) => rss <= last * 1.01);
}

const POLL_S = 0.25;

/** How Redis' own defragger, switched on, ended. */
export interface Ended {
  readonly because: string;
  /** It ended by itself. The time of a run that was cut off says nothing about its speed. */
  readonly isWhole: boolean;
}

/** Until the defragger, which reports the CPU that it uses, has used none for `quietSeconds`: longer than a pause between two passes. */
export async function untilAtRest(
  redis: Redis,
  quietSeconds: number,
  capSeconds: number,
  signal?: AbortSignal,
): Promise<Ended> {
  let hasBegun = false;
  for (let second = 0, quiet = 0; quiet < quietSeconds; second += POLL_S) {
    if (second >= capSeconds) return { because: `cut off after ${capSeconds} s`, isWhole: false };
    await wait(POLL_S * 1000, undefined, signal && { signal });
    const isIdle = numberField(await infoOf(redis), 'active_defrag_running') === 0;
    hasBegun ||= !isIdle;
    quiet = isIdle ? quiet + POLL_S : 0;
  }
  return { because: hasBegun ? 'came to rest' : 'did not begin', isWhole: hasBegun };
}

/** How long the defragger has to rest before it counts as at rest. */
export const QUIET_S = 5;

/** Redis' own defragger at its defaults, until it has rested for 5 s, 300 s at most; then a purge of what it has freed. Returns how it ended. */
export async function defragByDefaults(redis: Redis, signal?: AbortSignal): Promise<string> {
  await redis.config('SET', 'activedefrag', 'yes');
  const { because } = await untilAtRest(redis, QUIET_S, 300, signal);
  await redis.call('MEMORY', 'PURGE');
  return because;
}
