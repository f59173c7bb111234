import type { Milliseconds } from '../config/units.ts';

// How much is asked at once, and how long is waited before the next time: pure, so that the budget can be tested without a server.

/** What one batch may keep other clients waiting, at most. */
const BATCH: Milliseconds = 0.25;
/** Keys at once, before anything is measured, and at most. */
const FIRST_KEYS = 4;
const MOST_KEYS = 64;
/** Batches that a round of keys takes: names, then kinds, then sizes. */
const BATCHES = 3;
/** The server counts the execution of a command, and not its reading, its reply and the way to it: as much again (docs/performance.md). */
const AROUND = 2;

export interface Pace {
  /** What has been taken of the main thread so far. */
  readonly busy: Milliseconds;
  /** Of it, what the server has counted, and for how many keys; the rest is by latency. */
  readonly keys: number;
  /** For each key; undefined before the first round. */
  readonly perKey?: Milliseconds;
  readonly by: 'commandstats' | 'latency';
}

export const STANDING: Pace = { busy: 0, keys: 0, by: 'latency' };

/** How many keys to draw in the next round. */
export function keysAtOnce({ perKey }: Pace, left: number): number {
  const room = perKey === undefined ? FIRST_KEYS : Math.floor((BATCH * BATCHES) / perKey);
  return Math.max(1, Math.min(MOST_KEYS, room, left));
}

/**
 * After a round. What the answers took, less the way, is more than the server needed: other clients and this machine are in it. It counts until
 * the server's own count is known, and never for less than that.
 */
export function afterRound(pace: Pace, keys: number, waits: readonly Milliseconds[], way: Milliseconds): Pace {
  const seen = waits.reduce((sum, wait) => sum + Math.max(0, wait - way), 0);
  const counted = pace.by === 'commandstats' ? (pace.perKey ?? 0) * keys : seen;
  const busy = pace.busy + Math.min(seen, counted);
  if (pace.by === 'commandstats') return { ...pace, busy };
  return { ...pace, busy, perKey: seen / keys };
}

/** The server has counted `spent` ms for the last `keys` keys: the estimate since the last count is replaced by it. */
export function afterCount(pace: Pace, spent: Milliseconds, keys: number, before: Milliseconds): Pace {
  if (keys === 0) return pace;
  const real = spent * AROUND;
  return { busy: before + real, keys: pace.keys + keys, perKey: real / keys, by: 'commandstats' };
}

/** How long to wait so that what was taken stays within `budget` (0 to 1) of the time. */
export function restFor({ busy }: Pick<Pace, 'busy'>, budget: number, elapsed: Milliseconds): Milliseconds {
  return Math.max(0, busy / budget - elapsed);
}
