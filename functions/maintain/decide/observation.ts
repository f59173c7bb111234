import type { Bytes, Milliseconds } from '../../shared/config/units.ts';
import type { Engine } from '../../shared/redis/engine.ts';

/**
 * What one look at one node saw. Every field that a server may not report is optional: absent means that the server did not
 * say, or said something that the field cannot hold.
 */
export interface Observation {
  /** `host:port`, as the config names it. */
  readonly node: string;
  /** Epoch milliseconds at which the reply arrived. */
  readonly at: number;
  /**
   * The same instant by a clock that is never set (`Clock.elapsed` of this process), for the time between two looks. Absent where time is
   * simulated.
   */
  readonly monotonic?: Milliseconds;
  readonly engine: Engine;
  /** Changes with every start of the server process. */
  readonly runId?: string;
  readonly uptime?: Milliseconds;
  readonly memory: MemorySample;
  readonly activity: Activity;
  readonly persistence: Persistence;
  readonly replication: Replication;
  readonly defrag: DefragState;
  /** Commands that the server refused to us (NOPERM, unknown, renamed), as `config|get`. */
  readonly refused: readonly string[];
  /** Keys of all databases (INFO keyspace). */
  readonly keys?: number;
}

/** INFO memory. Redis samples these every 100 ms (server.c cronUpdateMemoryStats), so a look sooner than that sees old values. */
export interface MemorySample {
  readonly usedMemory?: Bytes;
  readonly usedMemoryRss?: Bytes;
  /** Since the server's start. */
  readonly usedMemoryPeak?: Bytes;
  readonly allocatorAllocated?: Bytes;
  readonly allocatorActive?: Bytes;
  readonly allocatorResident?: Bytes;
  /** What the server's own defragger sees. Small bins only since Redis 7.4 / Valkey 8.0, and 0 on some builds. */
  readonly allocatorFragBytes?: Bytes;
  /** `jemalloc-5.3.0`, `libc`, … */
  readonly memAllocator?: string;
  readonly maxmemory?: Bytes;
  /** Lua's VM and caches: overhead that SCRIPT FLUSH frees and no cure of ours does. */
  readonly usedMemoryScripting?: Bytes;
  readonly rehashingOverhead?: Bytes;
  readonly lazyfreePendingObjects?: number;
}

export interface Activity {
  readonly totalCommandsProcessed?: number;
  readonly instantaneousOpsPerSec?: number;
  readonly evictedKeys?: number;
  readonly currentEvictionExceededTime?: Milliseconds;
  /** Processor time of the main thread since start, where it is reported apart; else of the process. */
  readonly cpuSeconds?: number;
  /**
   * How many commands this connection has sent before this look's INFO stats was executed, handshake included: the measured
   * rate is of others only.
   */
  readonly ownCommands: number;
}

export interface Persistence {
  readonly loading?: boolean;
  readonly asyncLoading?: boolean;
  readonly rdbBgsaveInProgress?: boolean;
  readonly aofRewriteInProgress?: boolean;
  readonly aofRewriteScheduled?: boolean;
  readonly moduleForkInProgress?: boolean;
}

export type Role = 'primary' | 'replica' | 'unknown';

export interface Replication {
  readonly role: Role;
  readonly primarySyncInProgress?: boolean;
  /** `up` or `down`, on a replica. */
  readonly primaryLinkUp?: boolean;
  readonly failoverInProgress?: boolean;
  /** Replicas that are being fed a full sync now: whose state is not `online`. */
  readonly replicasSyncing: number;
}

/** Settings as `CONFIG GET` prints them. */
export type Settings = Readonly<Record<string, string>>;

export interface DefragState {
  /** `activedefrag`, `active-defrag-*`, `hz`, `latency-monitor-threshold`; absent where CONFIG is refused. */
  readonly settings?: Settings;
  /** Intended CPU percent, 0 when idle. Stays non-zero while a fork pauses the defragger: no proof of progress. */
  readonly running?: number;
  /** Counters since the server's start or CONFIG RESETSTAT. */
  readonly hits?: number;
  readonly misses?: number;
  /** Keys that the scan has passed: `active_defrag_key_hits` + `active_defrag_key_misses`, since the same moment. */
  readonly scannedKeys?: number;
  /** LATENCY LATEST active-defrag-cycle: needs `latency-monitor-threshold` > 0. */
  readonly latency?: LatencyEvent;
  /** LATENCY HISTORY active-defrag-cycle, oldest first: absent where the server refuses it. */
  readonly cycles?: readonly CycleEvent[];
}

/** The longest cycle of one second, of those that reached `latency-monitor-threshold`; the server keeps 160 (latency.c). */
export interface CycleEvent {
  /** Epoch seconds by the server's clock. */
  readonly at: number;
  readonly took: Milliseconds;
}

export interface LatencyEvent {
  /** Epoch seconds of the latest event, by the server's clock. */
  readonly at: number;
  readonly latest: Milliseconds;
  /** Since the server's start or LATENCY RESET. */
  readonly max: Milliseconds;
}

/** `active_defrag_running` lags behind a `CONFIG SET activedefrag no`, so it counts only where the setting cannot be read. */
export function isActiveDefragOn(observation: Observation): boolean {
  const { settings, running } = observation.defrag;
  return settings?.activedefrag === undefined ? (running ?? 0) > 0 : settings.activedefrag === 'yes';
}
