import type { Bytes } from '../config/units.ts';
import type { Layers } from '../domain/diagnosis.ts';
import type { MemorySample } from '../domain/observation.ts';

/** One part of the allocator is contained in the next. By more than this it is not another instant, but a value that cannot be. */
const IMPOSSIBLE = 1.25;

/**
 * Only jemalloc reports layers: other builds fill the same fields with copies of RSS and used_memory (zmalloc.c), which on
 * Redis ≤ 7.2 make allocator_frag look like the whole ratio. Without RSS, no action could be verified.
 */
export function layersOf(memory: MemorySample): Layers | undefined {
  const { allocatorAllocated: allocated, usedMemoryRss: rss } = memory;
  if (!isJemalloc(memory) || rss === undefined || isContradictory(memory)) return undefined;
  if (allocated === undefined || memory.allocatorActive === undefined) return undefined;
  if (memory.allocatorResident === undefined) return undefined;
  const active = Math.max(allocated, memory.allocatorActive);
  const resident = Math.max(active, memory.allocatorResident);
  const muzzy = muzzyPages(rss, resident, memory.allocatorMuzzy);
  return {
    allocated,
    externalFragmentation: active - allocated,
    ...(memory.allocatorFragBytes !== undefined && { seenByDefrag: memory.allocatorFragBytes }),
    freePages: resident - active + muzzy,
    ...(muzzy > 0 && { muzzyPages: muzzy }),
    overhead: rss - resident - muzzy,
  };
}

export function isJemalloc({ memAllocator }: MemorySample): boolean {
  return memAllocator?.startsWith('jemalloc') ?? false;
}

/** More is allocated than is active, or active than resident, or used than allocated: none of them can be believed. */
export function isContradictory(memory: MemorySample): boolean {
  const { usedMemory, allocatorAllocated, allocatorActive, allocatorResident } = memory;
  // Other allocators print copies of RSS there.
  if (!isJemalloc(memory)) return false;
  const chain = [usedMemory, allocatorAllocated, allocatorActive, allocatorResident].filter(
    (size) => size !== undefined,
  );
  return chain.some((size, index) => size > IMPOSSIBLE * (chain[index + 1] ?? size));
}

/** The allocator counts muzzy pages until it unmaps them; the kernel may have taken them before. Those that it has are not in RSS. */
function muzzyPages(rss: Bytes, resident: Bytes, muzzy: Bytes = 0): Bytes {
  return Math.min(muzzy, Math.max(0, rss - resident));
}

/**
 * Memory that is allocated and was never touched is not resident. The one thing of that kind that is large is the backlog before Redis 7.0,
 * which is allocated as a whole.
 */
export function touchedMemory({ usedMemory = 0, replicationBacklog = 0 }: MemorySample): Bytes {
  return Math.max(0, usedMemory - replicationBacklog);
}
