import { type Bytes, GIB, HOUR, MIB, type Milliseconds, SECOND } from '../../shared/config/units.ts';

/**
 * What a cure will return and how long it will keep clients waiting, before it is tried.
 *
 * The constants are measured on Redis 7.0.15 with its bundled jemalloc; what a node has shown by itself replaces them
 * (`Learned`), since neither the holes nor the allocator's build are the same everywhere.
 */
export interface Prediction {
  /** RSS that will have returned when the cure and its after-effects are over. */
  readonly reclaim: Bytes;
  /** The longest single time for which clients will wait; of a defrag, for one cycle. */
  readonly stall: Milliseconds;
  /** Of a defrag: the first cycle after the switch, once (see `firstCycle`). */
  readonly firstCycle?: Milliseconds;
  /** Of a defrag: from the switch to its end, where the server says how many keys it has. */
  readonly duration?: Milliseconds;
  /** Whether the duration comes from earlier runs on this node; else it may be off by a factor of two or three. */
  readonly isLearned?: boolean;
}

/** What a node has shown in earlier runs. */
export interface Learned {
  /** Blocking time of MEMORY PURGE for each GiB that it returned. */
  readonly purgeMsPerGiB?: number;
  /** Pages that a purge left behind. */
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

/** Data and traffic change: what was seen longer ago than this says nothing about tonight. */
const LEARNED_FOR: Milliseconds = 30 * 24 * HOUR;

/** What still counts of what was learned. */
export function unexpired(
  learned: Learned,
  { at, version }: { readonly at: number; readonly version: string },
): Learned {
  const isOld = learned.at !== undefined && at - learned.at > LEARNED_FOR;
  return isOld || (learned.version !== undefined && learned.version !== version) ? {} : learned;
}

/**
 * The pessimistic speed of MEMORY PURGE: 40 ms/GiB for whole runs of pages, 265 to 380 ms/GiB for scattered ones (Redis 7.0.15,
 * 8.2.3 and Valkey 8.0.1 alike), linear in the bytes.
 */
export const PURGE_MS_PER_GIB = 400;
/** Added to a rate that was learned, which is an average: a promise needs room. */
const RATE_MARGIN = 1.2;
/** A purge of nothing still visits every arena. */
const PURGE_FLOOR_MS = 1;

/** Free pages that no purge returns (metadata, the tail of each arena): 10 to 13 MiB of a 246 MiB heap, 15 of 433, 17 of 882. */
const KEPT_BASE = 6 * MIB;
const KEPT_SHARE = 0.02;
const METADATA_SHARE = 0.0105;
/**
 * Of heaps up to 5 GB at least 1.05 % of what was resident stayed behind, 3.5 % of others: this much counts for the time that a purge may
 * take. More (what a node has once kept, too) may be pages that this purge does return.
 */
const SURELY_KEPT_SHARE = 0.005;
/** What was left behind once may have been freed only during that purge: believed up to this many times the usual. */
const KEPT_AT_MOST = 3;

const PURGE_PATIENCE = 4;
const PURGE_PATIENCE_BASE: Milliseconds = 2 * SECOND;

/** The holes that a finished defrag leaves: 1.1 % of what is allocated, and it spends five times as long on the last half percent. */
export const RESIDUAL_FRAGMENTATION = 0.015;

/**
 * Bytes between `allocator_resident` and `allocator_active` that stay, whatever is done. jemalloc's own metadata is among them, and does
 * not shrink: a process that once held 5.4 GB kept 57 MiB of it with 330 MiB left. `peak`: the most data that it has held.
 */
export function keptPages(resident: Bytes, learned: Learned, peak: Bytes = 0): Bytes {
  const usual = KEPT_BASE + Math.max(KEPT_SHARE * resident, METADATA_SHARE * peak);
  return Math.min(learned.keptPages ?? usual, KEPT_AT_MOST * usual);
}

/**
 * `MEMORY PURGE` returns the dirty pages, and blocks the main thread while it does (object.c → arena.<n>.purge). Quick nights do not
 * promise a quick one: whole runs of pages take a tenth of scattered ones, and which it will be INFO does not say. So what was
 * learned can only make the prediction slower, and the time is that of nearly all pages that are retained, not only of those that
 * are expected to leave.
 */
export function predictPurge(retained: Bytes, resident: Bytes, learned: Learned, peak: Bytes = 0): Prediction {
  const reclaim = Math.max(0, Math.round(retained - keptPages(resident, learned, peak)));
  const rate = Math.max(PURGE_MS_PER_GIB, (learned.purgeMsPerGiB ?? 0) * RATE_MARGIN);
  const atMost = Math.max(reclaim, retained - SURELY_KEPT_SHARE * resident);
  return { reclaim, stall: Math.max(PURGE_FLOOR_MS, Math.ceil((atMost / GIB) * rate)) };
}

/** How long a purge is waited for: what it is predicted to take, several times over. It goes on all the same when nobody waits any more. */
export function purgePatience(stall: Milliseconds): Milliseconds {
  return PURGE_PATIENCE_BASE + PURGE_PATIENCE * stall;
}

export interface Holes {
  readonly allocated: Bytes;
  readonly externalFragmentation: Bytes;
  readonly seenByDefrag?: Bytes;
}

/** The holes that would be worth closing, whether the defragger sees them or not. */
export function closableHoles({ allocated, externalFragmentation }: Holes): Bytes {
  return Math.max(0, externalFragmentation - RESIDUAL_FRAGMENTATION * allocated);
}

/** The holes that defrag can close: it moves only what it sees, so those in large allocations stay, and all where it sees 0. */
export function defraggableHoles({ allocated, externalFragmentation, seenByDefrag }: Holes): Bytes {
  const movable = Math.min(externalFragmentation, seenByDefrag ?? externalFragmentation);
  return closableHoles({ allocated, externalFragmentation: movable });
}

/**
 * What defrag returns once its freed pages have left the process as well: the holes less what stays, and the pages that are
 * retained already.
 */
export function predictDefragReclaim(
  layers: Holes & { readonly retained: Bytes; readonly peak?: Bytes },
  learned: Learned,
): Bytes {
  const pages = Math.max(0, layers.retained - keptPages(layers.allocated, learned, layers.peak));
  return Math.round((defraggableHoles(layers) + pages) * (learned.defragShare ?? 1));
}

/** What a run has to work through. */
export interface Heap {
  readonly keys?: number;
  readonly allocated: Bytes;
  readonly active: Bytes;
  readonly memAllocator?: string;
}

/**
 * Main-thread time of a whole run, in ms: the scan goes over every key two to three times, whatever is moved, and what is moved is copied.
 * Measured on Redis 7.0.15: 9 µs for each key of 40 to 120 bytes (2.6 of them for a scan that moves nothing), and 1.25 ns more for each
 * byte of larger values; Redis 8 and Valkey 9 take two thirds of it.
 */
const WORK_MS_PER_KEY = 0.009;
const WORK_MS_PER_BYTE = 1.25e-6;

/**
 * Keys of more than this on average are collections: the scan goes over their elements, which no field of INFO counts. A hash of 700,000
 * fields of 60 bytes took 5.5 s of the main thread.
 */
const COLLECTION: Bytes = 16 * 1024;
const COLLECTION_MS_PER_BYTE = 4e-5;

export function usualWork({ keys, allocated }: Heap): Milliseconds | undefined {
  if (keys === undefined) return undefined;
  const perByte = allocated > keys * COLLECTION ? COLLECTION_MS_PER_BYTE : WORK_MS_PER_BYTE;
  return keys * WORK_MS_PER_KEY + allocated * perByte;
}

/** Main-thread time, in ms, of so long a run at `cpu` %; undefined where one of them is not known. */
export function workOf(duration: Milliseconds | undefined, cpu: number | undefined): Milliseconds | undefined {
  return duration === undefined || cpu === undefined ? undefined : (duration * cpu) / 100;
}

/** From the switch to the end of the run, at `cpu` % of the main thread. */
export function predictDuration(heap: Heap, cpu: number, { defragWork = 1 }: Learned): Milliseconds | undefined {
  const work = usualWork(heap);
  return work === undefined ? undefined : Math.max(SECOND, (work * defragWork * 100) / cpu);
}

/** The slabs of a heap are this large on average, by what a key takes on average: 6 KB at 343 B, 11 KB at 1.4 KB, 23 KB at 5.7 KB. */
const SLAB_BASE: Bytes = 5_000;
const SLAB_PER_KEY_BYTE = 3;
const LARGEST_SLAB: Bytes = 20_000;
/** Where the server does not say how many keys it has. */
const UNKNOWN_KEY: Bytes = 1_000;
/** Merging takes up to this for each slab: 100 ns after deletion in order, 300 ns after random eviction. */
const HEAP_MS_PER_SLAB = 0.0003;
/** One class can hold nearly all slabs of small values; larger ones are spread, and each class is merged in a cycle of its own. */
const MANY_CLASSES: { readonly from: Bytes; readonly share: number } = { from: 1_000, share: 0.45 };
/** jemalloc 4 has no such heap, and from 5.3 on pairs are merged as they come in (ph.h `ph_try_aux_merge_pair`). */
const MERGES_LATE = /^jemalloc-5\.[0-2]\./;

/**
 * The longest of the first cycles after the switch, whatever `hz` and the CPU share are. jemalloc 5.0 to 5.2 merges the heap of a size
 * class' non-full slabs only when the first of them is needed (`extent_heap_remove_first`): after a mass deletion, the first one to need a slab
 * pays for all of them. Measured on Redis 5.0 to 7.0 (docs/performance.md). Pessimistic: where data is written below `maxmemory`, clients
 * have paid it already.
 */
export function predictFirstCycle(heap: Heap, { firstCycle = 1 }: Learned): Milliseconds {
  return Math.round(usualFirstCycle(heap) * firstCycle * 10) / 10;
}

function usualFirstCycle({ keys = 0, allocated, active, memAllocator = '' }: Heap): Milliseconds {
  if (!MERGES_LATE.test(memAllocator)) return 0;
  const key = keys > 0 ? allocated / keys : UNKNOWN_KEY;
  const slab = Math.min(LARGEST_SLAB, SLAB_BASE + SLAB_PER_KEY_BYTE * key);
  return (active / slab) * HEAP_MS_PER_SLAB * (key < MANY_CLASSES.from ? 1 : MANY_CLASSES.share);
}
