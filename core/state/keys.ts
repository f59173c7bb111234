import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';

// The documents of the store, by the beginning of their keys, and how long each is kept after its last write.

export const LEASE = 'lease#';

/** In version 0.1 only the key shows the quarantine. That version may have quarantined a lease that a later one had written as active. */
const QUARANTINED = /^lease#[^#]+#./;

export function leaseKey(instance: string): string {
  return LEASE + instance;
}

/** By the `run_id`, by which the server is found at any address. No instance's id holds a `#`. */
export function quarantineKey({ instance, runId }: Pick<Lease, 'instance' | 'runId'>): string {
  return `${leaseKey(instance)}#${runId}`;
}

/** The status of a stored lease of any version. A status other than these two is of a newer version. */
export function statusOf(key: string, { status = 'active' }: { readonly status?: unknown }): unknown {
  return QUARANTINED.test(key) ? 'quarantined' : status;
}

export function isLeaseKey(key: string): boolean {
  return key.startsWith(LEASE);
}

/**
 * The record of an ended lease: what the job has set on a server, and the values before. An operator, or Sentinel at a failover, may run
 * CONFIG REWRITE during the lease. That writes Offpeak's settings into the config file, and a restart brings them back weeks later.
 * There is one record for each address, so that there are never more records than nodes.
 */
export const RECORD = 'record#';

/**
 * After the end of the last lease on a server, which writes its record and its run anew. Most servers are restarted at least once a year. One
 * that comes back later with settings of Offpeak in its file is still recognised by their values, and the alert says what to type; one that
 * has moved to another address after so long without a lease starts there without its history.
 */
const RECORD_LIFETIME: Milliseconds = 366 * 24 * HOUR;

export function recordKey(node: string): string {
  return RECORD + node;
}

/** What is known of a node: `history#<address>`. */
export const HISTORY = 'history#';

/** By the address alone: an instance that is renamed, split or merged keeps what is known of its nodes. */
export function historyKey(node: string): string {
  return HISTORY + node;
}

/** Where the documents of a process are, by its `run_id`; and its history, while another process answers at its address. */
export const RUN = 'run#';

export function runKey(runId: string): string {
  return RUN + runId;
}

/** 0.1 wrote `node#<instance>#<address>`. */
export const LEGACY_HISTORY = 'node#';

/** The address that such a key names. */
export function legacyNodeIn(key: string): string {
  return key.slice(key.lastIndexOf('#') + 1);
}

/** The keys of pauses: `pause#<instance>`, and `pause#*` for all instances, later ones included. */
export const PAUSE = 'pause#';

export const LONGEST_PAUSE: Milliseconds = 90 * 24 * HOUR;

/** The documents of the outbox: one for each pending alert, also where one message will contain many of them. */
export const OUTBOX = 'outbox#';

/** If a topic stays broken for so long, its alerts are too old to be of use. */
export const OUTBOX_LIFETIME: Milliseconds = 14 * 24 * HOUR;

/** The leases of parameter groups: `group-lease#<service>/<region>/<group>`. Kept until they end: they hold what restores the group. */
export const GROUP_LEASE = 'group-lease#';

export const STAGE_DOCUMENT = 'brakes';

/** What nodes had counted at the last tick, for rates: one document for many nodes, named by them. */
export const COUNTERS = 'counters#';

/** Which nodes the last tick of all nodes was about. */
export const NAMED_NODES = 'named-nodes';

/** Which tick's batch of this number a worker has taken: SQS may bring a message twice, and out of order. */
export const BATCH = 'batch#';

const BATCH_LIFETIME: Milliseconds = 24 * HOUR;

/** What the discovery of an instance of the config has found last. */
const INVENTORY = 'inventory#';

export function inventoryKey(instance: string): string {
  return INVENTORY + instance;
}

/** Of an instance that names its nodes: those beside them, of their Cluster or behind their primary. */
const MEMBERSHIP = 'membership#';

export function membershipKey(instance: string): string {
  return MEMBERSHIP + instance;
}

/** Longer than it counts: an inventory that is too old is said to be. */
const INVENTORY_KEPT: Milliseconds = 30 * 24 * HOUR;

/** The rate of a whole day says nothing of the present. */
const COUNTERS_LIFETIME: Milliseconds = 24 * HOUR;

/**
 * Kinds of documents of which there are as many as nodes. A tick reads those of its own nodes by their keys, and never all of them; a store
 * spreads them, so that a large fleet has no place that everything reads and writes.
 */
export const OF_NODES: readonly string[] = [HISTORY, RECORD, RUN, COUNTERS];

/** For a node that was renamed or removed. A node that is checked writes its history in this time, or loses only what was learned of it. */
const HISTORY_LIFETIME: Milliseconds = 90 * 24 * HOUR;

/** A day more than a pause can last, for clocks that differ. */
const PAUSE_LIFETIME: Milliseconds = LONGEST_PAUSE + 24 * HOUR;

/** Longer than its contents are valid. */
const BRAKES_LIFETIME: Milliseconds = 48 * HOUR;

/** A server that was not found for so long has restarted, or does not exist any more. */
const QUARANTINE_LIFETIME: Milliseconds = 90 * 24 * HOUR;

/**
 * How long after its last write a document may be needed; undefined: for ever. An active lease is kept for ever, since it holds what
 * restores a server.
 */
export function lifetimeOf(key: string, document: object): Milliseconds | undefined {
  if (isLeaseKey(key) && statusOf(key, document) === 'quarantined') return QUARANTINE_LIFETIME;
  if (key.startsWith(PAUSE)) return PAUSE_LIFETIME;
  if (key === STAGE_DOCUMENT) return BRAKES_LIFETIME;
  if (key.startsWith(OUTBOX)) return OUTBOX_LIFETIME;
  if (key.startsWith(RECORD) || key.startsWith(RUN)) return RECORD_LIFETIME;
  if (key.startsWith(INVENTORY) || key.startsWith(MEMBERSHIP)) return INVENTORY_KEPT;
  if (key.startsWith(COUNTERS)) return COUNTERS_LIFETIME;
  if (key.startsWith(BATCH)) return BATCH_LIFETIME;
  return key.startsWith(HISTORY) || key.startsWith(LEGACY_HISTORY) ? HISTORY_LIFETIME : undefined;
}
