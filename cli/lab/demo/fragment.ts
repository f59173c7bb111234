import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { MIB } from '../../../core/config/units.ts';

/**
 * The recipe that fragments a Redis: values of 100 B to 10 KB under TTLs of different lengths, so that they expire in a scattered
 * order and leave gaps that nothing fits into.
 */
export const RECIPE = {
  /** Bytes of values to write. */
  bytes: 480 * MIB,
  smallest: 100,
  largest: 10_000,
  /** The share that is short-lived, and the span in which it expires, in ms. */
  expiring: 0.65,
  expiresWithin: 8000,
};

const BATCH = 1000;
/** Longer than any demo. */
const KEPT_MS = 3_600_000;

type OnProgress = (done: number, text: string) => void;

/** Writes the recipe's bytes. Returns how many keys that were. */
export async function fill(redis: Redis, signal: AbortSignal, onProgress: OnProgress): Promise<number> {
  const { bytes: goal, smallest, largest, expiring, expiresWithin } = RECIPE;
  const source = 'x'.repeat(largest);
  let keys = 0;
  let bytes = 0;
  while (bytes < goal) {
    signal.throwIfAborted();
    const pipeline = redis.pipeline();
    for (let i = 0; i < BATCH; i++) {
      const size = smallest + Math.floor(Math.random() * (largest - smallest));
      pipeline.set(`session:${keys++}`, source.slice(0, size), 'PX', KEPT_MS);
      bytes += size;
    }
    await pipeline.exec();
    onProgress(bytes / goal, `${keys} keys`);
  }
  // Only now, however long writing took: what expires before everything is written leaves gaps that are filled again.
  for (let from = 0; from < keys; from += BATCH) {
    signal.throwIfAborted();
    const pipeline = redis.pipeline();
    for (let key = from; key < Math.min(keys, from + BATCH); key++) {
      if (Math.random() < expiring) pipeline.pexpire(`session:${key}`, 1 + Math.round(Math.random() * expiresWithin));
    }
    await pipeline.exec();
  }
  return keys;
}

/** Waits until the short-lived keys are gone: Redis' own expiry takes its time, in proportion to how many there are. */
export async function expire(redis: Redis, keys: number, signal: AbortSignal, onProgress: OnProgress): Promise<void> {
  const goal = keys * (1 - RECIPE.expiring);
  for (;;) {
    signal.throwIfAborted();
    const left = await redis.dbsize();
    onProgress(Math.min(1, (keys - left) / (keys - goal)), `${left} keys left`);
    if (left <= goal * 1.03) return;
    await wait(250);
  }
}
