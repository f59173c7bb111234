import { type Milliseconds, SECOND } from '../config/units.ts';

/** jemalloc's `dirty_decay_ms` is 10 s: what is still there after this does not leave by itself. */
export const DECAY: Milliseconds = 12 * SECOND;

/** Between the two looks before a defrag: long enough to measure the CPU, the traffic and the machine's noise. */
export const SHORT_LOOK: Milliseconds = 2 * SECOND;
