import type { Bytes, Milliseconds } from '../config/units.ts';

/**
 * What an action will return, and how long it will keep clients waiting.
 *
 * The constants are measured on Redis 7.0.15 with its bundled jemalloc. What Offpeak learns of a node replaces them (`Learned`), because
 * data and builds of the allocator differ.
 */
export interface Prediction {
  /** RSS that will be returned when the action and its after-effects are over. */
  readonly reclaim: Bytes;
  /** The longest single time for which clients will wait; of a defrag, for one cycle. */
  readonly stall: Milliseconds;
  /** Of a defrag: the first cycle after the switch, once (see `firstCycle`). */
  readonly firstCycle?: Milliseconds;
  /** Of a defrag: from the switch to its end, where the server reports how many keys it has. */
  readonly duration?: Milliseconds;
  /** Whether the duration comes from earlier runs on this node; else it may be off by a factor of two or three. */
  readonly isLearned?: boolean;
}

/** What Offpeak has learned from earlier runs on a node. */
export interface Learned {
  /** Blocking time of MEMORY PURGE for each GiB that it returned. */
  readonly purgeMsPerGiB?: number;
  /** Free pages that a purge did not return. */
  readonly keptPages?: Bytes;
  /** Returned ÷ predicted over the latest defrags, 0.1 to 1.2. */
  readonly defragShare?: number;
  /** Main-thread time that the latest defrags took ÷ what `usualWork` says, 0.02 to 200. */
  readonly defragWork?: number;
  /** The longest first cycle ÷ what `usualFirstCycle` says, 0.05 to 2. */
  readonly firstCycle?: number;
  /** When the latest of it was measured (epoch ms), and on which version: another one's allocator and defragger differ. */
  readonly at?: number;
  readonly version?: string;
}
