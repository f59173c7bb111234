import type { Bytes } from '../config/units.ts';
import type { ForkCopy, MemoryAccount, Part, PartGroup, PartKind } from '../domain/account.ts';
import type { Layers } from '../domain/diagnosis.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';
import { scriptsPlace } from './field-meanings.ts';
import { isContradictory, isJemalloc } from './layers.ts';

/** Where every byte of RSS is; undefined where neither RSS nor used_memory is known. Each remainder is a part of its own, so that all add up. */
export function accountOf(observation: Observation, layers: Layers | undefined): MemoryAccount | undefined {
  const { memory } = observation;
  const { usedMemory, usedMemoryRss } = memory;
  const total = usedMemoryRss ?? usedMemory;
  if (total === undefined) return undefined;
  const fork = forkCopyOf(observation);
  return {
    total,
    of: usedMemoryRss === undefined ? 'used-memory' : 'rss',
    parts: (layers ? layered(observation, layers) : unlayered(observation, total)).filter(({ bytes }) => bytes !== 0),
    ...(fork && { fork }),
    impossible: impossibleIn(memory),
  };
}

/** Where the allocator reports its part. */
function layered(observation: Observation, layers: Layers): readonly Part[] {
  const { allocated, externalFragmentation, freePages, muzzyPages = 0, overhead } = layers;
  const { usedMemory = allocated } = observation.memory;
  const outside = scriptsOutside(observation, overhead);
  const rest = overhead - sumOf(outside);
  return [
    ...usedParts(observation, usedMemory),
    part('data', 'uncounted', allocated - usedMemory),
    part('allocator', 'external-fragmentation', externalFragmentation),
    part('allocator', 'free-pages', freePages - muzzyPages),
    part('allocator', 'muzzy-pages', muzzyPages),
    ...outside,
    part('process', rest < 0 ? 'not-resident' : 'process', rest),
  ];
}

/** Redis 4, other allocators, relatives of Redis: RSS and used_memory at most. */
function unlayered(observation: Observation, total: Bytes): readonly Part[] {
  const { usedMemory } = observation.memory;
  if (usedMemory === undefined) return [part('unknown', 'unknown', total)];
  const outside = scriptsOutside(observation, total - usedMemory);
  const rest = total - usedMemory - sumOf(outside);
  return [...usedParts(observation, usedMemory), ...outside, part('unknown', 'beyond-used', rest)];
}

/** What used_memory consists of. Parts that together are more than the whole are not believed: then it is one part. */
function usedParts(observation: Observation, used: Bytes): readonly Part[] {
  const { usedMemoryOverhead: overhead, allocatorAllocated: allocated } = observation.memory;
  const held = heldParts(observation);
  const isOverheadKnown = overhead !== undefined && overhead <= used;
  const counted =
    scriptsPlace(observation.engine) === 'dataset' ? sumOf(held) - vmBytes(observation.memory) : sumOf(held);
  // The VMs that were there at the start are in both: some 100 KB.
  const dictionaries = isOverheadKnown ? Math.max(0, overhead - counted) : 0;
  const rest = used - sumOf(held) - dictionaries;
  if (rest < 0 || used > (allocated ?? used) * 1.25) return [part('data', 'data', used)];
  return [part('data', isOverheadKnown ? 'keys' : 'data', rest), part('data', 'dictionaries', dictionaries), ...held];
}

/** What used_memory holds beside keys and their dictionaries, each part by a field of its own: known also where the others are not. */
export function heldParts({ memory, engine }: Pick<Observation, 'memory' | 'engine'>): readonly Part[] {
  const { scriptsCache = 0, functionsCache = 0, scriptsVm = 0, functionsVm = 0 } = memory;
  const isInside = ['overhead', 'dataset'].includes(scriptsPlace(engine) ?? '');
  return [
    part('data', 'client-buffers', memory.clientBuffers),
    part('data', 'replica-buffers', memory.replicaBuffers),
    part('data', 'replication-backlog', memory.replicationBacklog),
    part('data', 'full-sync-buffer', memory.fullSyncBuffer),
    part('data', 'cluster-links', memory.clusterLinks),
    part('data', 'aof-buffer', memory.aofBuffer),
    part('data', 'scripts', scriptsCache + (isInside ? scriptsVm : 0)),
    part('data', 'functions', functionsCache + (isInside ? functionsVm : 0)),
    part('data', 'startup', memory.usedMemoryStartup),
  ];
}

/** The VMs, where they are outside of used_memory and fit into what is there: not where the system's jemalloc has them, or they are swapped. */
function scriptsOutside({ memory, engine }: Observation, room: Bytes): readonly Part[] {
  const { scriptsVm = 0, functionsVm = 0 } = memory;
  if (scriptsPlace(engine) !== 'outside' || vmBytes(memory) > room) return [];
  return [part('process', 'scripts-vm', scriptsVm), part('process', 'functions-vm', functionsVm)];
}

function vmBytes({ scriptsVm = 0, functionsVm = 0 }: MemorySample): Bytes {
  return scriptsVm + functionsVm;
}

/** `current_cow_size` is 0 until the child's first report, and before Redis 6.2 it is not printed at all. */
function forkCopyOf({ persistence, memory }: Observation): ForkCopy | undefined {
  const { cowSize = 0, cowPeak = 0, lastCowSize = 0 } = persistence;
  const most = memory.totalSystemMemory ?? Number.POSITIVE_INFINITY;
  if (isForking(persistence) && cowSize > 0 && cowSize <= most) {
    return { kind: 'running', bytes: cowSize, ...(cowPeak >= cowSize && cowPeak <= most && { peak: cowPeak }) };
  }
  // A fork copies no more than there is.
  const bytes = Math.min(lastCowSize, memory.usedMemoryRss ?? lastCowSize);
  return bytes > 0 && lastCowSize <= most ? { kind: 'last', bytes } : undefined;
}

function isForking(persistence: Observation['persistence']): boolean {
  const { rdbBgsaveInProgress, aofRewriteInProgress, moduleForkInProgress, slotMigrationForkInProgress } = persistence;
  return [rdbBgsaveInProgress, aofRewriteInProgress, moduleForkInProgress, slotMigrationForkInProgress].includes(true);
}

/** Fields that were not read, and those that contradict others. */
export function impossibleIn(memory: MemorySample): readonly string[] {
  const { usedMemory, usedMemoryOverhead = 0, usedMemoryRss = 0, totalSystemMemory } = memory;
  return [
    // A C library's frag bytes underflow (zmalloc.c), and are of no use to anyone.
    ...(memory.odd ?? []).filter((name) => isJemalloc(memory) || !name.startsWith('allocator_')),
    ...(usedMemory !== undefined && usedMemoryOverhead > usedMemory ? ['used_memory_overhead'] : []),
    ...(isContradictory(memory) ? ['allocator_allocated', 'allocator_active', 'allocator_resident'] : []),
    ...(totalSystemMemory !== undefined && usedMemoryRss > totalSystemMemory ? ['total_system_memory'] : []),
  ];
}

function part(group: PartGroup, kind: PartKind, bytes: Bytes = 0): Part {
  return { kind, group, bytes };
}

export function sumOf(parts: readonly Part[]): Bytes {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
