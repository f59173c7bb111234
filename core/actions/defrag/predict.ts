import { type Bytes, type Milliseconds, SECOND } from '../../config/units.ts';
import type { Learned } from '../../domain/prediction.ts';

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
