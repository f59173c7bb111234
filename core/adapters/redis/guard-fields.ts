import type { Activity, MemorySample, Persistence } from '../../domain/observation.ts';
import { present } from '../../domain/present.ts';
import type { Replication } from '../../domain/replication.ts';
import { address } from './failure.ts';
import { type FieldNames, type InfoLines, numberOf, valuesOf } from './info.ts';

/**
 * The fields that the guards read. A field may occur several times, or under numbered names, once for each primary or replica: the worst of
 * them counts, since one in trouble is enough. A value that the field cannot hold is ignored.
 */

export function persistence(lines: InfoLines): Persistence {
  return present({
    loading: anyFlag(lines, 'loading'),
    asyncLoading: anyFlag(lines, 'async_loading'),
    rdbBgsaveInProgress: anyFlag(lines, 'rdb_bgsave_in_progress'),
    aofRewriteInProgress: anyFlag(lines, 'aof_rewrite_in_progress'),
    aofRewriteScheduled: anyFlag(lines, 'aof_rewrite_scheduled'),
    moduleForkInProgress: anyFlag(lines, 'module_fork_in_progress'),
    slotMigrationForkInProgress: anyFlag(lines, 'slot_migration_fork_in_progress'),
    saves: allOf(lines, 'rdb_last_bgsave_status', 'ok'),
    aofWrites: allOf(lines, 'aof_last_write_status', 'ok'),
    aofRewrites: allOf(lines, 'aof_last_bgrewrite_status', 'ok'),
    unsaved: largest(lines, 'rdb_changes_since_last_save'),
    cowSize: largest(lines, 'current_cow_size'),
    cowPeak: largest(lines, 'current_cow_peak'),
    lastCowSize: largest(lines, ['rdb_last_cow_size', 'aof_last_cow_size', 'module_fork_last_cow_size']),
  });
}

/**
 * KeyDB's multi-master follows several primaries. In its older releases `master_link_status` comes once for each (redis_exporter#371),
 * in newer ones with a number from the second one on (`master_1_link_status`), and `master_global_link_status` sums them up.
 */
const LINK_STATUS = /^master_(?:global_|\d+_)?link_status$/;
/** `-1` while the link is down. */
const LAST_IO = /^master_(?:global_|\d+_)?last_io_seconds_ago$/;
const SYNC_IN_PROGRESS = /^master_(?:\d+_)?sync_in_progress$/;
const FAILOVER_STATE = 'master_failover_state';

const REPLICA = /^(?:slave|replica)\d+$/;
/** Any state except `online`: wait_bgsave, send_bulk, Redis 8's send_bulk_and_stream, Valkey 8's bg_transfer, … */
const SYNCING = /(?:^|,)state=(?!online(?:,|$))/;

export function replication(lines: InfoLines, role: string | undefined): Replication {
  // Two equal lines are the same replica.
  const syncing = replicasIn(lines).filter(([, value]) => SYNCING.test(value));
  return {
    role: role === 'master' ? 'primary' : role === 'slave' ? 'replica' : 'unknown',
    replicasSyncing: new Set(syncing.map(([name, value]) => `${name}:${value}`)).size,
    ...present({
      primarySyncInProgress: anyFlag(lines, SYNC_IN_PROGRESS),
      primaryLinkUp: allOf(lines, LINK_STATUS, 'up'),
      failoverInProgress: not(allOf(lines, FAILOVER_STATE, 'no-failover')),
      replicas: addressesOf(lines),
      connectedReplicas: smallest(lines, ['connected_slaves', 'connected_replicas']),
      goodReplicas: smallest(lines, ['min_slaves_good_slaves', 'min_replicas_good_replicas']),
      primarySilentFor: inMilliseconds(largest(lines, LAST_IO)),
      unapplied: unapplied(lines),
      ...lagOf(lines),
    }),
  };
}

/** Since 2.8.18: `slave0:ip=10.0.0.2,port=6379,state=online,offset=1440,lag=1`. */
const ONLINE = /(?:^|,)state=online(?:,|$)/;

function replicasIn(lines: InfoLines): InfoLines {
  return lines.filter(([name]) => (name.startsWith('slave') || name.startsWith('replica')) && REPLICA.test(name));
}

function onlineIn(lines: InfoLines): readonly string[] {
  return replicasIn(lines).flatMap(([, value]) => (ONLINE.test(value) ? [value] : []));
}

const LISTENING = /^ip=(?<host>[a-zA-Z\d_.:-]{1,253}),port=(?<port>[1-9]\d{0,4}),/;

function addressesOf(lines: InfoLines): readonly string[] | undefined {
  const found = onlineIn(lines).flatMap((value) => {
    const { host, port } = LISTENING.exec(value)?.groups ?? {};
    return host === undefined ? [] : [address({ host: host.toLowerCase(), port: Number(port) })];
  });
  return found.length === 0 ? undefined : found;
}

function lagOf(lines: InfoLines) {
  const online = onlineIn(lines);
  const [sent] = numbersOf(lines, 'master_repl_offset');
  const lags = online.flatMap((value) => partOf(value, 'lag') ?? []);
  const behind = online.flatMap((value) => {
    const offset = partOf(value, 'offset');
    return sent === undefined || offset === undefined ? [] : [Math.max(0, sent - offset)];
  });
  return { replicaSilentFor: inMilliseconds(worst(lags, Math.max)), replicaBehind: worst(behind, Math.max) };
}

function partOf(value: string, name: string): number | undefined {
  const part = new RegExp(`(?:^|,)${name}=(\\d+)(?:,|$)`).exec(value)?.[1];
  return part === undefined ? undefined : numberOf(part);
}

/** What it has read (Redis 7.0) or what its own stream counts, less what it has applied. */
function unapplied(lines: InfoLines): number | undefined {
  const applied = worst(numbersOf(lines, 'slave_repl_offset'), Math.min);
  const heard = largest(lines, ['slave_read_repl_offset', 'master_repl_offset']);
  return applied === undefined || heard === undefined ? undefined : Math.max(0, heard - applied);
}

function inMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

const SLOT_BUFFERS = [
  'mem_cluster_slot_migration_input_buffer',
  'mem_cluster_slot_migration_output_buffer',
  'mem_cluster_slot_import',
  'mem_cluster_slot_export',
];

export function guardedMemory(
  lines: InfoLines,
): Pick<MemorySample, 'rehashingOverhead' | 'lazyfreePendingObjects' | 'replicationBacklog' | 'slotBuffers'> {
  return present({
    replicationBacklog: largest(lines, 'mem_replication_backlog'),
    slotBuffers: largest(lines, SLOT_BUFFERS),
    rehashingOverhead: largest(lines, 'mem_overhead_db_hashtable_rehashing'),
    lazyfreePendingObjects: largest(lines, 'lazyfree_pending_objects'),
  });
}

export function guardedActivity(
  lines: InfoLines,
): Pick<Activity, 'instantaneousOpsPerSec' | 'currentEvictionExceededTime'> {
  return present({
    instantaneousOpsPerSec: largest(lines, 'instantaneous_ops_per_sec'),
    currentEvictionExceededTime: largest(lines, 'current_eviction_exceeded_time'),
  });
}

/** In seconds. */
export function shortestUptime(lines: InfoLines): number | undefined {
  return worst(numbersOf(lines, 'uptime_in_seconds'), Math.min);
}

function smallest(lines: InfoLines, names: FieldNames): number | undefined {
  return worst(numbersOf(lines, names), Math.min);
}

function largest(lines: InfoLines, names: FieldNames): number | undefined {
  return worst(numbersOf(lines, names), Math.max);
}

/** Two at a time: half a million numbers are more arguments than a call can have. */
function worst(numbers: readonly number[], of: (a: number, b: number) => number): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((a, b) => of(a, b));
}

/** `1` and `0`, as INFO prints its booleans. */
function anyFlag(lines: InfoLines, names: FieldNames): boolean | undefined {
  const numbers = numbersOf(lines, names);
  return numbers.length === 0 ? undefined : numbers.some((number) => number !== 0);
}

function allOf(lines: InfoLines, names: FieldNames, good: string): boolean | undefined {
  const values = valuesOf(lines, names).filter((value) => value !== '');
  return values.length === 0 ? undefined : values.every((value) => value === good);
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function numbersOf(lines: InfoLines, names: FieldNames): readonly number[] {
  return valuesOf(lines, names)
    .map(numberOf)
    .filter((number) => number !== undefined);
}
