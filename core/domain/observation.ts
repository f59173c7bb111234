import type { Bytes, Milliseconds } from '../config/units.ts';
import type { Engine } from './engine.ts';
import type { Examined } from './examined.ts';
import type { Replication } from './replication.ts';

/**
 * One observation of one node. Every field that a server may not report is optional: absent means that the server did not
 * report it, or reported something that the field cannot hold.
 */
export interface Observation {
  /** `host:port`, as the config names it. */
  readonly node: string;
  /** The IP address that the connection led to. */
  readonly address?: string;
  /** Epoch milliseconds at which the reply arrived. */
  readonly at: number;
  /**
   * The same instant by a clock that is never set (`Clock.elapsed` of this process), for the time between two observations. Absent where
   * time is simulated.
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
  /** Commands that the server refused (NOPERM, unknown, renamed), as `config|get`. */
  readonly refused: readonly string[];
  /** The server is a node of a Cluster (`redis_mode`, Valkey's `server_mode`). */
  readonly isCluster?: true;
  /** Only from the second check before a start. */
  readonly examined?: Examined;
  /** Keys of all databases (INFO keyspace). */
  readonly keys?: number;
  /** Fields that Offpeak does not believe, and ignores. */
  readonly oddFields?: readonly OddField[];
}

/** A field of INFO whose value it cannot hold, or that comes twice with different values. */
export interface OddField {
  readonly name: string;
  /** Up to three values, safe to print. */
  readonly printed: readonly string[];
}

/** INFO memory. Redis samples these every 100 ms (server.c cronUpdateMemoryStats): within that time the values are old. */
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
  /** Pages that jemalloc has freed with MADV_FREE: not in `allocatorResident`, and in RSS until the kernel takes them. Redis 7.4, Valkey 8.0. */
  readonly allocatorMuzzy?: Bytes;
  /** `jemalloc-5.3.0`, `libc`, … */
  readonly memAllocator?: string;
  readonly maxmemory?: Bytes;
  /** `noeviction`, `allkeys-lru`, … */
  readonly maxmemoryPolicy?: string;
  /** Of the machine, not of its container. */
  readonly totalSystemMemory?: Bytes;
  /** `used_memory_overhead`: everything in `usedMemory` that is not keys and values. */
  readonly usedMemoryOverhead?: Bytes;
  readonly usedMemoryStartup?: Bytes;
  /** Query and output buffers of clients, MONITOR and Pub/Sub included, without replicas. */
  readonly clientBuffers?: Bytes;
  /** Output buffers of replicas; since Redis 7.0 what exceeds the backlog. */
  readonly replicaBuffers?: Bytes;
  /** On a replica: what arrives during a full sync. Redis 8.0, Valkey 9.1. */
  readonly fullSyncBuffer?: Bytes;
  readonly clusterLinks?: Bytes;
  readonly aofBuffer?: Bytes;
  /** The Lua VM of EVAL, and of functions (Redis 7.0). Where they are depends on the version: diagnosis/field-meanings.ts. */
  readonly scriptsVm?: Bytes;
  readonly functionsVm?: Bytes;
  /** The texts of scripts and functions, always in `usedMemory`. */
  readonly scriptsCache?: Bytes;
  readonly functionsCache?: Bytes;
  /** Replicas' and AOF buffers, which `maxmemory` leaves out. */
  readonly notCountedForEvict?: Bytes;
  /** Names of fields with a value that cannot be: not a number, negative, or two values that contradict each other. They are left out. */
  readonly odd?: readonly string[];
  readonly rehashingOverhead?: Bytes;
  /** Allocated as a whole before Redis 7.0, and touched only as it fills. */
  readonly replicationBacklog?: Bytes;
  /** Buffers of slots that are moved in or out: Redis 8.4, Valkey 9. */
  readonly slotBuffers?: Bytes;
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
   * How many commands this connection had sent when INFO stats was executed, handshake included: the measured rate leaves
   * them out.
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
  /** Valkey 9. */
  readonly slotMigrationForkInProgress?: boolean;
  /** `rdb_last_bgsave_status`, `aof_last_write_status`, `aof_last_bgrewrite_status`: whether the latest went well. */
  readonly saves?: boolean;
  readonly aofWrites?: boolean;
  readonly aofRewrites?: boolean;
  /** `rdb_changes_since_last_save` */
  readonly unsaved?: number;
  /** `current_cow_size`, `current_cow_peak`: what a running fork has copied. Redis 6.2 and 7.0. */
  readonly cowSize?: Bytes;
  readonly cowPeak?: Bytes;
  /** The largest of `rdb_last_cow_size`, `aof_last_cow_size` and `module_fork_last_cow_size`: what the last forks had copied as they ended. */
  readonly lastCowSize?: Bytes;
}

/** Settings as `CONFIG GET` prints them. */
export type Settings = Readonly<Record<string, string>>;

export interface DefragState {
  /** `activedefrag`, `active-defrag-*`, `hz`, `latency-monitor-threshold`; absent where CONFIG is refused. */
  readonly settings?: Settings;
  /** Settings that are left out, because CONFIG GET has printed values that they cannot hold. */
  readonly odd?: readonly string[];
  /** Intended CPU percent, 0 when idle. Stays non-zero while a fork pauses the defragger: no proof of progress. */
  readonly running?: number;
  /** Counters since the server's start or CONFIG RESETSTAT. */
  readonly hits?: number;
  readonly misses?: number;
  /** Keys that the scan has passed since the same moment: of some a part was moved, others stayed as they were. */
  readonly keyHits?: number;
  readonly keyMisses?: number;
  /** `keyHits` + `keyMisses`. */
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
