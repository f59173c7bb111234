import type { Bytes } from '../config/units.ts';

// jemalloc's classes (include/jemalloc/internal/sc.h): multiples of the quantum, then four to each doubling. Redis builds its own jemalloc
// with a quantum of 8 (deps/Makefile, --with-lg-quantum=3), distributions with 16.

export type Quantum = 8 | 16;

/** From here on an allocation has pages of its own (SC_LARGE_MINCLASS): its neighbours keep nothing of it. */
export const LARGE: Bytes = 16_384;

const PAGE: Bytes = 4096;

/** What jemalloc reserves for an allocation of `bytes`. */
export function sizeClass(bytes: Bytes, quantum: Quantum): Bytes {
  if (bytes <= 8) return 8;
  const doubling = 2 ** Math.floor(Math.log2(bytes - 1));
  const step = Math.max(quantum, doubling / 4);
  return Math.ceil(bytes / step) * step;
}

/** The next smaller class; 0 below the smallest. */
export function classBelow(bytes: Bytes, quantum: Quantum): Bytes {
  const own = sizeClass(bytes, quantum);
  if (own <= 8) return 0;
  if (own <= quantum) return 8;
  const doubling = 2 ** Math.floor(Math.log2(own - 1));
  return own - Math.max(quantum, doubling / 4);
}

/** How many allocations of a small class share a slab: jemalloc takes the fewest pages that they fill without a rest. */
export function slabPlaces(size: Bytes): number {
  let slab = PAGE;
  while (slab % size !== 0) slab += PAGE;
  return slab / size;
}

/** The header and the closing zero of a string that has an allocation of its own (sds.c sdsReqType, sdsHdrSize). */
export function rawBytes(length: number): Bytes {
  const header = length < 256 ? 3 : length < 65_536 ? 5 : 9;
  return header + length + 1;
}

/** As many different sizes are enough to tell. */
const ENOUGH_SIZES = 5;

/**
 * Which build of jemalloc it is, by what MEMORY USAGE says of strings: with a quantum of 16 all of these differ by multiples of 16. A
 * server does not report it otherwise, short of MEMORY MALLOC-STATS, which stops it.
 */
export function quantumOf(usages: readonly Bytes[]): Quantum {
  const sizes = new Set(usages);
  const rests = new Set([...sizes].map((bytes) => bytes % 16));
  return sizes.size >= ENOUGH_SIZES && rests.size === 1 ? 16 : 8;
}
