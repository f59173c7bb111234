import { type Bytes, MIB, type Milliseconds, type Percent, SECOND } from '../../shared/config/units.ts';
import { type Busy, busy, type LoadLimits } from './busy.ts';
import type { LoadCounters } from './load.ts';
import type { Observation } from './observation.ts';

/** Why acting on a node is unsafe or unwise now, with the figures that say so. */
export type Blocker =
  | { readonly kind: 'unknown-engine'; readonly engine: string; readonly version: string }
  /** MEMORY lacks the LOADING flag: the server itself would refuse. */
  | { readonly kind: 'loading' }
  /** The defragger idles during a fork ("will just do damage", defrag.c), and every page that moves is copied. */
  | { readonly kind: 'forking'; readonly child: 'bgsave' | 'aof-rewrite' | 'module' }
  | { readonly kind: 'replica-syncing'; readonly linkUp: boolean }
  | { readonly kind: 'feeding-full-sync'; readonly replicas: number }
  | { readonly kind: 'failover' }
  /** Memory is still being freed in the background: what is seen now is not what will be there in a moment. */
  | { readonly kind: 'lazyfree-pending'; readonly objects: number }
  | { readonly kind: 'rehashing'; readonly bytes: Bytes; readonly limit: Bytes }
  /** Short of memory for data: a capacity problem, which no cure of ours solves. */
  | { readonly kind: 'eviction-pressure'; readonly exceededFor: Milliseconds; readonly overLimit: Bytes }
  | { readonly kind: 'just-restarted'; readonly uptime: Milliseconds; readonly required: Milliseconds }
  | Busy
  | { readonly kind: 'peer-acting'; readonly peer: string }
  | { readonly kind: 'cooling-down'; readonly until: number }
  /** The canary of its instance: what has befallen it under our defrag is not tried on its peers in the same night. */
  | { readonly kind: 'canary-died'; readonly node: string; readonly until: number }
  /** The config names this server twice: it is tended as that node. */
  | { readonly kind: 'same-server'; readonly as: string }
  | { readonly kind: 'not-enough-time'; readonly remaining: Milliseconds; readonly required: Milliseconds }
  /** A defrag that is cut off has cost its time and returned next to nothing: most holes close as a scan ends. */
  | {
      readonly kind: 'too-long';
      readonly required: Milliseconds;
      readonly available: Milliseconds;
      readonly cpu: Percent;
      /** What sets the time that there is. */
      readonly bound: 'window' | 'maxDuration' | 'schedule';
      /** Measured on this node, not estimated. */
      readonly isLearned: boolean;
    };

export type BlockerKind = Blocker['kind'];

/** Freed soon after by the server itself (mem_overhead_db_hashtable_rehashing, Redis 7.4 / Valkey 8.0). */
const REHASHING_LIMIT = 32 * MIB;
/** A server that has just come up is still connecting, syncing and warming; one that dies and comes back shows up here. */
export const REQUIRED_UPTIME = 10 * SECOND;

/** Dangers that lie in the server itself: they keep an action from starting and stop one that runs. */
export function serverBlockers(
  observation: Observation,
  policy: LoadLimits,
  earlier?: LoadCounters,
): readonly Blocker[] {
  const { engine } = observation;
  return [
    engine.name === 'unknown' ? { kind: 'unknown-engine', engine: engine.name, version: engine.version } : undefined,
    loading(observation),
    forking(observation),
    ...replicating(observation),
    evicting(observation),
    earlier && busy(observation, policy, earlier),
  ].filter((blocker): blocker is Blocker => blocker !== undefined);
}

/** What keeps an action from starting and would not be a reason to stop one: it passes by itself. */
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
  return persistence.moduleForkInProgress ? { kind: 'forking', child: 'module' } : undefined;
}

function replicating({ replication }: Observation): readonly (Blocker | undefined)[] {
  const { primarySyncInProgress, primaryLinkUp, replicasSyncing, failoverInProgress } = replication;
  // Whatever it calls itself (KeyDB: active-replica): only a server that follows another one reports these.
  const isSyncing = primarySyncInProgress === true || primaryLinkUp === false;
  return [
    isSyncing ? { kind: 'replica-syncing', linkUp: primaryLinkUp ?? false } : undefined,
    replicasSyncing > 0 ? { kind: 'feeding-full-sync', replicas: replicasSyncing } : undefined,
    failoverInProgress ? { kind: 'failover' } : undefined,
  ];
}

/**
 * Evicting is what a full cache does all day; being over `maxmemory` in spite of it is pressure. Redis 7.0 reports for how long;
 * before, the two sizes say whether.
 */
function evicting({ activity, memory }: Observation): Blocker | undefined {
  const exceededFor = activity.currentEvictionExceededTime ?? 0;
  const isReported = activity.currentEvictionExceededTime !== undefined;
  const limit = memory.maxmemory ?? 0;
  const overLimit = limit > 0 ? Math.max(0, (memory.usedMemory ?? 0) - limit) : 0;
  const isPressed = isReported ? exceededFor > 0 : overLimit > 0;
  return isPressed ? { kind: 'eviction-pressure', exceededFor, overLimit } : undefined;
}
