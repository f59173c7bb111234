import type { Milliseconds } from '../../config/units.ts';
import { excessOf } from './pace.ts';

/**
 * What the machine adds, before anything is switched on: a neighbour that takes the processor away, a stopped or throttled container, a
 * network that stutters. An idle server answers PING at once, so that whatever a PING has waited for beyond the usual is not the
 * server's own doing.
 *
 * @param waits for how long each PING of a series waited, in ms
 * @param lasted how long the series took, in ms
 * @returns the share of that time in which a client would have waited for longer than `promised`, 0 to 1
 */
export function noiseOf(waits: readonly Milliseconds[], lasted: Milliseconds, promised: Milliseconds): number {
  if (waits.length === 0 || lasted <= 0) return 0;
  const usual = waits.toSorted((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0;
  const beyond = waits.map((wait) => Math.max(0, wait - usual));
  // One late answer may be the job's own hiccup: what the machine does it does more than once.
  const lasting = beyond.toSorted((a, b) => a - b).slice(0, -1);
  return Math.min(1, excessOf(lasting, promised) / lasted);
}
