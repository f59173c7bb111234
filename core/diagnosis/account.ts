import type { Bytes } from '../config/units.ts';
import type { ForkCopy, MemoryAccount, Part, PartGroup, PartKind } from '../domain/account.ts';
import type { Layers } from '../domain/diagnosis.ts';
import type { MemorySample, Observation } from '../domain/observation.ts';

import { isJemalloc } from './layers.ts';
import { luaPlace, type Place } from './lua-place.ts';
import type { Plausible } from './plausible.ts';

/**
 * Where every byte of RSS is; undefined where neither RSS nor used_memory is known. Each remainder is a part of its own, so that all of them
 * add up. Takes what `plausible` has left.
 */
export function accountOf(
  { observation, impossible }: Plausible,
  layers: Layers | undefined,
): MemoryAccount | undefined {
  const { usedMemory, usedMemoryRss } = observation.memory;
  const total = usedMemoryRss ?? usedMemory;
  if (total === undefined) return undefined;
  const fork = forkCopyOf(observation);
  return {
    total,
    of: usedMemoryRss === undefined ? 'used-memory' : 'rss',
    parts: (layers ? layered(observation, layers) : unlayered(observation, total)).filter(({ bytes }) => bytes !== 0),
    ...(fork && { fork }),
    impossible,
  };
}

/** Where the allocator reports its part. */
function layered(observation: Observation, layers: Layers): readonly Part[] {
  const { allocated, externalFragmentation, freePages, muzzyPages = 0, overhead } = layers;
  const { usedMemory = allocated } = observation.memory;
  const uncounted = allocated - usedMemory;
  const vms = sumOf(scriptsOutside(observation));
  // The system's jemalloc serves the C library as well, and Lua with it.
  const isBeside = overhead < vms && uncounted >= vms;
  const outside = isBeside ? [] : scriptsOutside(observation, overhead, 'process');
  const beside = isBeside ? scriptsOutside(observation, uncounted, 'data') : [];
  const rest = overhead - sumOf(outside);
  return [
    ...usedParts(observation, usedMemory),
    ...beside,
    part('data', 'uncounted', uncounted - sumOf(beside)),
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
  const outside = scriptsOutside(observation, total - usedMemory, 'process');
  const rest = total - usedMemory - sumOf(outside);
  const remainder = rest < 0 ? part('process', 'not-resident', rest) : part('unknown', 'beyond-used', rest);
  return [...usedParts(observation, usedMemory), ...outside, remainder];
}

/** What used_memory consists of. */
function usedParts(observation: Observation, used: Bytes): readonly Part[] {
  const { usedMemoryOverhead: overhead, clientBuffers } = observation.memory;
  const held = within(used, heldParts(observation));
  const isInDataset = scriptsPlaceOf(observation) === 'dataset';
  const counted = sumOf(held) - (isInDataset ? vmBytes(observation.memory) : 0);
  // The VMs that were there at the start are in both: some 100 KB.
  const room = used - sumOf(held);
  const other = overhead === undefined ? 0 : Math.min(room, Math.max(0, overhead - counted));
  const rest = room - other;
  return [
    part('data', overhead === undefined ? 'data' : 'keys', rest),
    // Before Redis 5.0 buffers are in it as well, and not reported apart.
    part('data', clientBuffers === undefined ? 'other-overhead' : 'dictionaries', other),
    ...held,
  ];
}

/** What used_memory holds beside keys and their dictionaries, each part by a field of its own: known also where the others are not. */
function heldParts(observation: Observation): readonly Part[] {
  const { memory } = observation;
  const { scriptsCache = 0, functionsCache = 0, scriptsVm = 0, functionsVm = 0 } = memory;
  const isInside = ['overhead', 'dataset'].includes(scriptsPlaceOf(observation) ?? '');
  return [
    part('data', 'client-buffers', memory.clientBuffers),
    part('data', 'replica-buffers', memory.replicaBuffers),
    part('data', 'replication-backlog', memory.replicationBacklog),
    part('data', 'full-sync-buffer', memory.fullSyncBuffer),
    part('data', 'cluster-links', memory.clusterLinks),
    part('data', 'slot-migration', memory.slotBuffers),
    part('data', 'aof-buffer', memory.aofBuffer),
    part('data', 'scripts', scriptsCache + (isInside ? scriptsVm : 0)),
    part('data', 'functions', functionsCache + (isInside ? functionsVm : 0)),
    part('data', 'startup', memory.usedMemoryStartup),
  ];
}

/**
 * Buffers are counted up to a second before used_memory is, and may have been freed since. So what is too much goes off the largest of the parts.
 */
function within(whole: Bytes, parts: readonly Part[]): readonly Part[] {
  const excess = Math.max(0, sumOf(parts) - whole);
  const most = Math.max(...parts.map(({ bytes }) => bytes));
  if (excess > most) return [];
  const largest = parts.findIndex(({ bytes }) => bytes === most);
  return parts.map((one, index) => (index === largest ? { ...one, bytes: most - excess } : one));
}

/** The VMs, where they are outside of used_memory. Of swapped ones, only what fits into the room that is there. */
export function scriptsOutside(
  observation: Observation,
  room = Number.POSITIVE_INFINITY,
  group: PartGroup = 'process',
): readonly Part[] {
  if (scriptsPlaceOf(observation) !== 'outside') return [];
  const { scriptsVm = 0, functionsVm = 0 } = observation.memory;
  return within(Math.max(0, Math.min(room, scriptsVm + functionsVm)), [
    part(group, 'scripts-vm', scriptsVm),
    part(group, 'functions-vm', functionsVm),
  ]);
}

/** Only with jemalloc Redis gives Lua an arena of its own (script.c, USE_JEMALLOC). */
function scriptsPlaceOf({ engine, memory }: Observation): Place | undefined {
  const place = luaPlace(engine);
  return place !== undefined && memory.memAllocator !== undefined && !isJemalloc(memory) ? 'outside' : place;
}

function vmBytes({ scriptsVm = 0, functionsVm = 0 }: MemorySample): Bytes {
  return scriptsVm + functionsVm;
}

/** `current_cow_size` is 0 until the child's first report, and before Redis 6.2 it is not printed at all. */
function forkCopyOf({ persistence, memory }: Observation): ForkCopy | undefined {
  const { cowSize = 0, cowPeak = 0, lastCowSize = 0 } = persistence;
  const most = memory.totalSystemMemory ?? Number.POSITIVE_INFINITY;
  // A fork copies no more than there is.
  const last = lastCowSize <= most ? Math.min(lastCowSize, memory.usedMemoryRss ?? lastCowSize) : 0;
  const runs = isForking(persistence);
  if (runs && cowSize > 0 && cowSize <= most) {
    const isWithin = cowPeak >= cowSize && cowPeak <= most;
    return { kind: 'running', bytes: cowSize, ...(isWithin && { peak: cowPeak }), ...(last > cowSize && { last }) };
  }
  return last > 0 ? { kind: 'last', bytes: last, ...(runs && { runs }) } : undefined;
}

function isForking(persistence: Observation['persistence']): boolean {
  const { rdbBgsaveInProgress, aofRewriteInProgress, moduleForkInProgress, slotMigrationForkInProgress } = persistence;
  return [rdbBgsaveInProgress, aofRewriteInProgress, moduleForkInProgress, slotMigrationForkInProgress].includes(true);
}

function part(group: PartGroup, kind: PartKind, bytes: Bytes = 0): Part {
  return { kind, group, bytes };
}

export function sumOf(parts: readonly Part[]): Bytes {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
