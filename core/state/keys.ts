import { HOUR, type Milliseconds } from '../config/units.ts';
import type { Lease } from '../domain/lease.ts';

// The documents of the store, by the beginning of their keys, and how long each is kept after its last write.

export const LEASE = 'lease#';

/** Version 0.1 says it by the key alone, and may have quarantined what a later version had written as active. */
const QUARANTINED = /^lease#[^#]+#./;

export function leaseKey(instance: string): string {
  return LEASE + instance;
}

/** By the run of the server, which is found by that alone, wherever it answers. No instance's id holds a `#`. */
export function quarantineKey({ instance, runId }: Pick<Lease, 'instance' | 'runId'>): string {
  return `${leaseKey(instance)}#${runId}`;
}

/** It restores its server, and gives no right to act on it. */
export function isQuarantined({ lease }: { readonly lease: Pick<Lease, 'status'> }): boolean {
  return lease.status === 'quarantined';
}

/** Of a stored lease, whatever else it holds. Another than these two is of a newer version. */
export function statusOf(key: string, { status = 'active' }: { readonly status?: unknown }): unknown {
  return QUARANTINED.test(key) ? 'quarantined' : status;
}

export function isLeaseKey(key: string): boolean {
  return key.startsWith(LEASE);
}

/**
 * What a lease leaves behind: what the job has set on a server, and what stood there before. A CONFIG REWRITE during the lease, by an
 * operator or by Sentinel at a failover, writes our settings into the config file: weeks after the lease a restart brings them back.
 * One record for each address, so that there are never more of them than nodes.
 */
export const RECORD = 'record#';

/** Servers that are restarted once a year are the rule. */
export const RECORD_LIFETIME: Milliseconds = 366 * 24 * HOUR;

export function recordKey(node: string): string {
  return RECORD + node;
}

export const NODE = 'node#';

/** By the address alone: an instance that is renamed, split or merged keeps what is known of its nodes. */
export function nodeKey(node: string): string {
  return NODE + node;
}

/** The address that a key names; 0.1 wrote `node#<instance>#<address>`. */
export function nodeIn(key: string): string {
  return key.slice(key.lastIndexOf('#') + 1);
}

/** Where the history of a process is kept whose address another one answers at. */
export function runKey(runId: string): string {
  return `${NODE}~${runId}`;
}

/** 0.1 wrote `node#<instance>#<address>`. */
export function isLegacyKey(key: string): boolean {
  return key.slice(NODE.length).includes('#');
}

/** Where the pauses lie in the store: `pause#<instance>`, and `pause#*` for all instances, those to come included. */
export const PAUSE = 'pause#';

export const LONGEST_PAUSE: Milliseconds = 90 * 24 * HOUR;

/** The documents of the outbox: one for each alert that is owed, whatever message it will be told in. */
export const OUTBOX = 'outbox#';

/** A topic that nobody repairs in this time has nobody waiting for it either. */
export const OUTBOX_LIFETIME: Milliseconds = 14 * 24 * HOUR;

export const STAGE_DOCUMENT = 'brakes';

/** A node that was renamed or taken away; one that is visited has news in this time, or loses no more than what it learned. */
const HISTORY_LIFETIME: Milliseconds = 90 * 24 * HOUR;

/** A day more than a pause can last, for clocks that differ. */
const PAUSE_LIFETIME: Milliseconds = LONGEST_PAUSE + 24 * HOUR;

/** Longer than what is in it counts. */
const BRAKES_LIFETIME: Milliseconds = 48 * HOUR;

/** A server that nobody has met as itself for so long has restarted, or is no more. */
const QUARANTINE_LIFETIME: Milliseconds = 90 * 24 * HOUR;

/** How long after its last write a document may be needed; undefined: for ever. A lease holds what restores a server. */
export function lifetimeOf(key: string, document: object): Milliseconds | undefined {
  if (isLeaseKey(key) && statusOf(key, document) === 'quarantined') return QUARANTINE_LIFETIME;
  if (key.startsWith(PAUSE)) return PAUSE_LIFETIME;
  if (key === STAGE_DOCUMENT) return BRAKES_LIFETIME;
  if (key.startsWith(OUTBOX)) return OUTBOX_LIFETIME;
  if (key.startsWith(RECORD)) return RECORD_LIFETIME;
  return key.startsWith(NODE) ? HISTORY_LIFETIME : undefined;
}
