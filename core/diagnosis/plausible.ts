import { type Bytes, MIB } from '../config/units.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';
import { isContradictory, isJemalloc } from './layers.ts';

/** No server has fewer bytes than one page, in RAM or allocated. */
const PAGE: Bytes = 4096;

/** Of the machine's memory: by so much more, it is RSS that cannot be, and not only one of the two. */
const ABSURD = 4;

/** What used_memory has in it, by the name that INFO has for each. */
const PARTS_OF_USED = {
  usedMemoryOverhead: 'used_memory_overhead',
  usedMemoryStartup: 'used_memory_startup',
  clientBuffers: 'mem_clients_normal',
  replicaBuffers: 'mem_clients_slaves',
  replicationBacklog: 'mem_replication_backlog',
  clusterLinks: 'mem_cluster_links',
  aofBuffer: 'mem_aof_buffer',
  notCountedForEvict: 'mem_not_counted_for_evict',
  scriptsCache: 'used_memory_scripts',
  functionsCache: 'used_memory_functions',
} as const satisfies Partial<Record<keyof MemorySample, string>>;

/**
 * A part may be larger than used_memory, and still be what the server counts: buffers change between the two (redis#13973), and Valkey 8 and 9
 * count tables twice in used_memory_overhead (valkey#3005). More than this is not such a difference.
 */
const MISCOUNT = { factor: 1.25, bytes: 16 * MIB };

export interface Plausible {
  readonly observation: Observation;
  /** Fields of INFO with values that cannot be, each by its name. What they would have said is left out. */
  readonly impossible: readonly string[];
}

/** The observation without what cannot be: a value that is believed leads to a false sentence, and a false alarm. */
export function plausible(observation: Observation): Plausible {
  const odd = contradictionsOf(observation);
  const { usedMemory = Number.POSITIVE_INFINITY, usedMemoryOverhead = 0, totalSystemMemory } = observation.memory;
  const left = [
    ...odd.flatMap(([key]) => key ?? []),
    ...(usedMemoryOverhead > usedMemory ? ['usedMemoryOverhead'] : []),
    // Where it is not known, it is 0.
    ...(totalSystemMemory === 0 ? ['totalSystemMemory'] : []),
  ];
  const memory: MemorySample = Object.fromEntries(
    Object.entries(observation.memory).filter(([key]) => !left.includes(key)),
  );
  return {
    observation: { ...observation, memory },
    impossible: [...unread(memory), ...new Set(odd.map(([, name]) => name))],
  };
}

/** The key that is left out, if that is done here, and the field of INFO. */
type Contradiction = readonly [key: keyof MemorySample | undefined, name: string];

function contradictionsOf({ memory, persistence }: Observation): readonly Contradiction[] {
  const {
    usedMemory: used = PAGE,
    usedMemoryRss: rss = PAGE,
    usedMemoryPeak = 0,
    scriptsVm = 0,
    functionsVm = 0,
  } = memory;
  const machine = memory.totalSystemMemory || Number.POSITIVE_INFINITY;
  const rules: readonly (readonly [boolean, readonly Contradiction[]])[] = [
    [used < PAGE, [['usedMemory', 'used_memory']]],
    [rss < PAGE || rss > ABSURD * machine, [['usedMemoryRss', 'used_memory_rss']]],
    [rss > machine && rss <= ABSURD * machine, [['totalSystemMemory', 'total_system_memory']]],
    [usedMemoryPeak > ABSURD * machine, [['usedMemoryPeak', 'used_memory_peak']]],
    [scriptsVm > ABSURD * machine, [['scriptsVm', 'used_memory_lua']]],
    [functionsVm > ABSURD * machine, [['functionsVm', 'used_memory_vm_functions']]],
    [isContradictory(memory), ALLOCATOR],
    [(persistence.cowSize ?? 0) > machine, [[undefined, 'current_cow_size']]],
  ];
  return [...rules.flatMap(([isOdd, found]) => (isOdd ? found : [])), ...tooLarge(memory)];
}

/** They contradict each other: which of them is wrong is not known. */
const ALLOCATOR: readonly Contradiction[] = ['allocator_allocated', 'allocator_active', 'allocator_resident'].map(
  (name) => [undefined, name],
);

function tooLarge(memory: MemorySample): readonly Contradiction[] {
  const { usedMemory = Number.POSITIVE_INFINITY } = memory;
  const most = MISCOUNT.factor * usedMemory + MISCOUNT.bytes;
  const parts = Object.entries(PARTS_OF_USED) as readonly [keyof typeof PARTS_OF_USED, string][];
  return parts.filter(([key]) => (memory[key] ?? 0) > most);
}

/** Those of a C library are left out without a word: its frag bytes underflow (zmalloc.c), and would say nothing. */
function unread(memory: MemorySample): readonly string[] {
  return (memory.odd ?? []).filter((name) => isJemalloc(memory) || !name.startsWith('allocator_'));
}
