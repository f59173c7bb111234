import { type Bytes, GIB, MIB, type Milliseconds, SECOND } from '../config/units.ts';
import type { Learned, Prediction } from '../domain/prediction.ts';

/**
 * The pessimistic speed of MEMORY PURGE: 40 ms/GiB for whole runs of pages, 265 to 380 ms/GiB for scattered ones (Redis 7.0.15,
 * 8.2.3 and Valkey 8.0.1 alike), linear in the bytes.
 */
export const PURGE_MS_PER_GIB = 400;

/** Times a learned rate, which is an average: a promise needs a margin. */
const RATE_MARGIN = 1.2;

/** A purge that returns nothing still goes through every arena. */
const PURGE_FLOOR_MS = 1;

/** Free pages that no purge returns (metadata, the tail of each arena): 10 to 13 MiB of a 246 MiB heap, 15 of 433, 17 of 882. */
const KEPT_BASE = 6 * MIB;

const KEPT_SHARE = 0.02;

const METADATA_SHARE = 0.0105;

/**
 * Of heaps up to 5 GB at least 1.05 % of what was resident stayed behind, 3.5 % of others: only this much is left out of the time that a purge
 * may take. More (also what an earlier purge left on this node) may be pages that this purge does return.
 */
const SURELY_KEPT_SHARE = 0.005;

/** What a purge left behind may have been freed only during it: a learned value counts up to this many times the usual. */
const KEPT_AT_MOST = 3;

const PURGE_PATIENCE = 4;

const PURGE_PATIENCE_BASE: Milliseconds = 2 * SECOND;

/** External fragmentation that a finished defrag leaves: 1.1 % of what is allocated; the last half percent takes five times as long. */
const RESIDUAL_FRAGMENTATION = 0.015;

/**
 * Bytes between `allocator_resident` and `allocator_active` that no purge returns. jemalloc's own metadata is among them, and does
 * not shrink: a process that once held 5.4 GB still had 57 MiB of it with 330 MiB of data. `peak`: the most data that it has held.
 */
export function keptPages(resident: Bytes, learned: Learned, peak: Bytes = 0): Bytes {
  const usual = KEPT_BASE + Math.max(KEPT_SHARE * resident, METADATA_SHARE * peak);
  return Math.min(learned.keptPages ?? usual, KEPT_AT_MOST * usual);
}

/**
 * `MEMORY PURGE` returns the dirty pages, and blocks the main thread while it does (object.c → arena.<n>.purge). A quick purge does not
 * promise another quick one: whole runs of pages take a tenth of scattered ones, and INFO does not say which it will be. So what was
 * learned can only make the prediction slower, and the time is that of nearly all free pages, not only of those that are expected
 * to be returned.
 */
export function predictPurge(freePages: Bytes, resident: Bytes, learned: Learned, peak: Bytes = 0): Prediction {
  const reclaim = Math.max(0, Math.round(freePages - keptPages(resident, learned, peak)));
  const rate = Math.max(PURGE_MS_PER_GIB, (learned.purgeMsPerGiB ?? 0) * RATE_MARGIN);
  const atMost = Math.max(reclaim, freePages - SURELY_KEPT_SHARE * resident);
  return { reclaim, stall: Math.max(PURGE_FLOOR_MS, Math.ceil((atMost / GIB) * rate)) };
}

/** How long the job waits for a purge: several times its prediction. The server completes it even if the job waits no longer. */
export function purgePatience(stall: Milliseconds): Milliseconds {
  return PURGE_PATIENCE_BASE + PURGE_PATIENCE * stall;
}

export interface Fragmentation {
  readonly allocated: Bytes;
  readonly externalFragmentation: Bytes;
  readonly seenByDefrag?: Bytes;
}

/** The external fragmentation that a defrag would return, whether the defragger sees it or not. */
export function closableFragmentation({ allocated, externalFragmentation }: Fragmentation): Bytes {
  return Math.max(0, externalFragmentation - RESIDUAL_FRAGMENTATION * allocated);
}

/** The same, of what the defragger sees: it moves nothing else. That leaves out large allocations, and everything where it sees 0. */
export function defraggableFragmentation({ allocated, externalFragmentation, seenByDefrag }: Fragmentation): Bytes {
  const movable = Math.min(externalFragmentation, seenByDefrag ?? externalFragmentation);
  return closableFragmentation({ allocated, externalFragmentation: movable });
}

/**
 * What defrag returns, once its freed pages have left the process as well: the external fragmentation less what stays, and the free pages
 * that were there before.
 */
export function predictDefragReclaim(
  layers: Fragmentation & { readonly freePages: Bytes; readonly peak?: Bytes },
  learned: Learned,
): Bytes {
  const pages = Math.max(0, layers.freePages - keptPages(layers.allocated, learned, layers.peak));
  return Math.round((defraggableFragmentation(layers) + pages) * (learned.defragShare ?? 1));
}
