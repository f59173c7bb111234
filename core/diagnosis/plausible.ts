import type { Bytes } from '../config/units.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';
import { isContradictory, isJemalloc } from './layers.ts';

/** No process has fewer bytes in RAM than one page. */
const PAGE: Bytes = 4096;

/** Of the machine's memory: by so much more, it is RSS that cannot be, and not only one of the two. */
const ABSURD = 4;

export interface Plausible {
  readonly observation: Observation;
  /** Fields of INFO with values that cannot be, each by its name. What they would have said is left out. */
  readonly impossible: readonly string[];
}

/** The observation without what cannot be: a value that is believed leads to a false sentence, and a false alarm. */
export function plausible(observation: Observation): Plausible {
  const { usedMemoryRss, totalSystemMemory, usedMemoryOverhead, ...rest } = observation.memory;
  const odd = contradictionsOf(observation);
  const memory: MemorySample = {
    ...rest,
    ...(usedMemoryRss !== undefined && !odd.includes('used_memory_rss') && { usedMemoryRss }),
    // Where it is not known, it is 0.
    ...(!!totalSystemMemory && !odd.includes('total_system_memory') && { totalSystemMemory }),
    ...(usedMemoryOverhead !== undefined && !odd.includes('used_memory_overhead') && { usedMemoryOverhead }),
  };
  return { observation: { ...observation, memory }, impossible: [...unread(memory), ...odd] };
}

function contradictionsOf({ memory, persistence }: Observation): readonly string[] {
  const { usedMemory = Number.POSITIVE_INFINITY, usedMemoryRss: rss = PAGE, usedMemoryOverhead = 0 } = memory;
  const machine = memory.totalSystemMemory || Number.POSITIVE_INFINITY;
  const rules: readonly (readonly [boolean, readonly string[]])[] = [
    [rss < PAGE || rss > ABSURD * machine, ['used_memory_rss']],
    [rss > machine && rss <= ABSURD * machine, ['total_system_memory']],
    [usedMemoryOverhead > usedMemory, ['used_memory_overhead']],
    [isContradictory(memory), ['allocator_allocated', 'allocator_active', 'allocator_resident']],
    [(persistence.cowSize ?? 0) > machine, ['current_cow_size']],
  ];
  return rules.flatMap(([isOdd, names]) => (isOdd ? names : []));
}

/** Those of a C library are left out without a word: its frag bytes underflow (zmalloc.c), and would say nothing. */
function unread(memory: MemorySample): readonly string[] {
  return (memory.odd ?? []).filter((name) => isJemalloc(memory) || !name.startsWith('allocator_'));
}
