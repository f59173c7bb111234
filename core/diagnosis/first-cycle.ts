import type { Bytes, Milliseconds } from '../config/units.ts';
import type { Observation } from '../domain/observation.ts';
import type { Learned } from '../domain/prediction.ts';
import { present } from '../domain/present.ts';

/** What a run has to work through. */
export interface Heap {
  readonly keys?: number;
  readonly allocated: Bytes;
  readonly active: Bytes;
  readonly memAllocator?: string;
}

export function heapOf({ keys, memory }: Pick<Observation, 'keys' | 'memory'>): Heap {
  const { allocatorAllocated: allocated = 0, allocatorActive: active = 0, memAllocator } = memory;
  return { allocated, active, ...present({ keys, memAllocator }) };
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
