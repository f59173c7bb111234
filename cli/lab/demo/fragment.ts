import type { Redis } from 'ioredis';
import { MIB } from '../../../core/config/units.ts';

/**
 * The recipe that fragments a Redis: values of 100 B to 10 KB under TTLs of different lengths, so that they expire in a scattered
 * order and leave gaps that nothing fits into.
 */
export interface Recipe {
  /** Bytes of values to write. */
  readonly bytes: number;
  readonly smallest: number;
  readonly largest: number;
  /** The share that is short-lived, and the span in which it expires, in ms after the last write. */
  readonly expiring: number;
  readonly expiresWithin: number;
}

export const RECIPE: Recipe = {
  bytes: 480 * MIB,
  smallest: 100,
  largest: 10_000,
  expiring: 0.65,
  expiresWithin: 8000,
};

const BATCH = 1000;
/** Longer than any demo. */
const KEPT_MS = 3_600_000;

export type OnProgress = (done: number, text: string) => void;

/** Writes until `recipe.bytes` of values are in. Returns how many keys that were. */
export async function fill(redis: Redis, recipe: Recipe, signal: AbortSignal, onProgress: OnProgress): Promise<number> {
  const source = 'x'.repeat(recipe.largest);
  let keys = 0;
  let bytes = 0;
  // Nothing may expire before everything is written: the gaps would be filled again.
  const writtenBy = performance.now() + estimatedMs(recipe);
  while (bytes < recipe.bytes) {
    signal.throwIfAborted();
    const pipeline = redis.pipeline();
    for (let i = 0; i < BATCH; i++) {
      const size = recipe.smallest + Math.floor(Math.random() * (recipe.largest - recipe.smallest));
      const ttl =
        Math.random() < recipe.expiring
          ? writtenBy - performance.now() + Math.random() * recipe.expiresWithin
          : KEPT_MS;
      pipeline.set(`session:${keys++}`, source.slice(0, size), 'PX', Math.max(1, Math.round(ttl)));
      bytes += size;
    }
    await pipeline.exec();
    onProgress(bytes / recipe.bytes, `${keys} keys`);
  }
  return keys;
}

/** Some 100 MB a second on two slow cores; a faster machine just waits a little. */
function estimatedMs({ bytes }: Recipe): number {
  return (bytes / (100 * MIB)) * 1000 + 2000;
}

/** Waits until the short-lived keys are gone: Redis' own expiry takes its time, in proportion to how many there are. */
export async function expire(
  redis: Redis,
  keys: number,
  recipe: Recipe,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<void> {
  const goal = keys * (1 - recipe.expiring);
  for (;;) {
    signal.throwIfAborted();
    const left = await redis.dbsize();
    onProgress(Math.min(1, (keys - left) / (keys - goal)), `${left} keys left`);
    if (left <= goal * 1.03) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
