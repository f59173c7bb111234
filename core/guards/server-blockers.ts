import { type Bytes, MIB, SECOND } from '../config/units.ts';
import { touchedMemory } from '../diagnosis/layers.ts';
import { isShortOfMemory, overMaxmemory } from '../diagnosis/limit.ts';
import type { LoadCounters } from '../diagnosis/load.ts';
import type { Blocker } from '../domain/blocker.ts';
import type { Observation } from '../domain/observation.ts';
import { busy, type LoadLimits } from './busy.ts';
import { replicationBlockers } from './replication.ts';

/** Freed soon after by the server itself (mem_overhead_db_hashtable_rehashing, Redis 7.4 / Valkey 8.0). */
const REHASHING_LIMIT = 32 * MIB;

/** A server that has just started is still connecting, syncing and warming up; one that crashes again and again shows up here. */
const REQUIRED_UPTIME = 10 * SECOND;

/** Dangers in the server itself: they prevent a start and stop a run. */
export function serverBlockers(
  observation: Observation,
  policy: LoadLimits,
  earlier?: LoadCounters,
): readonly Blocker[] {
  const { engine } = observation;
  return [
    engine.name === 'unknown'
      ? { kind: 'unknown-engine', engine: engine.calledItself ?? engine.name, version: engine.version }
      : undefined,
    loading(observation),
    forking(observation),
    persisting(observation),
    swapped(observation),
    ...replicationBlockers(observation),
    moving(observation.memory.slotBuffers),
    evicting(observation),
    earlier && busy(observation, policy, earlier),
  ].filter((blocker): blocker is Blocker => blocker !== undefined);
}

/** These prevent a start but do not stop a run: they pass by themselves. */
export function startBlockers(observation: Observation): readonly Blocker[] {
  const { memory, uptime } = observation;
  const pending = memory.lazyfreePendingObjects ?? 0;
  const rehashing = memory.rehashingOverhead ?? 0;
  const blockers: (Blocker | undefined)[] = [
    pending > 0 ? { kind: 'lazyfree-pending', objects: pending } : undefined,
    rehashing > REHASHING_LIMIT ? { kind: 'rehashing', bytes: rehashing, limit: REHASHING_LIMIT } : undefined,
    uptime !== undefined && uptime < REQUIRED_UPTIME
      ? { kind: 'just-restarted', uptime, required: REQUIRED_UPTIME }
      : undefined,
    ...examinedBlockers(observation),
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

function loading({ persistence }: Observation): Blocker | undefined {
  return persistence.loading || persistence.asyncLoading ? { kind: 'loading' } : undefined;
}

function forking({ persistence }: Observation): Blocker | undefined {
  if (persistence.rdbBgsaveInProgress) return { kind: 'forking', child: 'bgsave' };
  if (persistence.aofRewriteInProgress || persistence.aofRewriteScheduled)
    return { kind: 'forking', child: 'aof-rewrite' };
  if (persistence.slotMigrationForkInProgress) return { kind: 'forking', child: 'slot-migration' };
  return persistence.moduleForkInProgress ? { kind: 'forking', child: 'module' } : undefined;
}

/** Each status is that of the latest try, and stays until the next one. */
function persisting({ persistence }: Observation): Blocker | undefined {
  const { saves, aofWrites, aofRewrites, unsaved } = persistence;
  const failing = [
    ...(saves === false ? (['save'] as const) : []),
    ...(aofWrites === false ? (['aof-write'] as const) : []),
    ...(aofRewrites === false ? (['aof-rewrite'] as const) : []),
  ];
  if (failing.length === 0) return undefined;
  return { kind: 'persistence-failing', failing, ...(unsaved !== undefined && { unsaved }) };
}

/** Shares of allocated memory that were never touched are usual; a fifth of it, and this much, is not. */
const RESIDENT_SHARE = 0.8;

const SWAP_FLOOR = 100 * MIB;

/** Linux' INFO has no field for swap. A server that reports an RSS of 0 reports none (some managed services). */
export function swapped({ memory }: Observation): Blocker | undefined {
  const { usedMemoryRss: rss = 0, usedMemory: used = 0 } = memory;
  const touched = touchedMemory(memory);
  const isSwapped = rss > 0 && rss < RESIDENT_SHARE * touched && touched - rss >= SWAP_FLOOR;
  return isSwapped ? { kind: 'swapped-out', rss, used } : undefined;
}

function moving(bytes: Bytes = 0): Blocker | undefined {
  return bytes > 0 ? { kind: 'slots-migrating', bytes } : undefined;
}

/** What only a start asks for; a run that is on ends by what the buffers of a migration show. */
function examinedBlockers({ examined, memory }: Observation): readonly (Blocker | undefined)[] {
  const { cluster, paused } = examined ?? {};
  if (cluster === 'refused') return [{ kind: 'cluster-refused' }, pausing(paused)];
  const migrating = cluster?.migrating ?? 0;
  return [
    cluster?.isUp === false ? { kind: 'cluster-down' } : undefined,
    migrating > 0 && !moving(memory.slotBuffers) ? { kind: 'slots-migrating', slots: migrating } : undefined,
    pausing(paused),
  ];
}

function pausing(paused: NonNullable<Observation['examined']>['paused']): Blocker | undefined {
  return paused && { kind: 'clients-paused', ...paused };
}

function evicting(observation: Observation): Blocker | undefined {
  if (!isShortOfMemory(observation)) return undefined;
  const { currentEvictionExceededTime: exceededFor = 0 } = observation.activity;
  return { kind: 'eviction-pressure', exceededFor, overLimit: overMaxmemory(observation) };
}
