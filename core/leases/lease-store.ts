import type { Lease } from '../domain/lease.ts';
import type { StateStore, Stored } from '../ports/state-store.ts';
import { encode, readEach } from '../state/codec.ts';
import { LEASE, leaseKey, quarantineKey } from '../state/keys.ts';
import { mayComeBack } from './identity.ts';
import { LEASE_KIND, leaseIn } from './lease-document.ts';

/** A lease as it is stored. */
export interface HeldLease {
  /** Of its document: `leaseKey`; `quarantineKey` in quarantine. */
  readonly key: string;
  readonly lease: Lease;
  readonly version: number;
}

/** Active leases, and quarantined ones: these keep no job from acting, and wait for their server. */
export interface Leases {
  /** By instance. An instance has at most one, so that no two jobs act on two of its nodes at once. */
  readonly leases: ReadonlyMap<string, HeldLease>;
  readonly quarantined: readonly HeldLease[];
}

/** A quarantined lease restores its server, and does not allow an action on it. */
export function isQuarantined({ lease }: Pick<HeldLease, 'lease'>): boolean {
  return lease.status === 'quarantined';
}

export function allHeld({ leases, quarantined }: Leases): readonly HeldLease[] {
  return [...leases.values(), ...quarantined];
}

/** A `run_id` has 40 characters. */
const LONGEST_RUN_ID = 64;

/** The leases in the documents. `unreadable` is called for each document that is not a lease: none is guessed. */
export function leasesOf(
  documents: ReadonlyMap<string, Stored>,
  unreadable: (key: string, why: string) => void,
): Leases {
  const held = readEach(
    documents,
    (key, { value, version }) => ({ key, lease: leaseIn(key, value), version }),
    unreadable,
  );
  const active = held.filter((one) => !isQuarantined(one));
  return {
    leases: new Map(active.map((one) => [one.key.slice(LEASE.length), one])),
    quarantined: held.filter(isQuarantined),
  };
}

/**
 * All active leases, and those in quarantine whose server did not answer: a person who removes the stack has to know of them. If the
 * server has restarted, or the start has never arrived, no setting is left to restore.
 */
export function leasesIn({ leases, quarantined }: Leases): readonly Lease[] {
  const missing = quarantined.filter(({ lease: { closing } }) => closing === undefined || !mayComeBack(closing));
  return [...leases.values(), ...missing].map(({ lease }) => lease);
}

/** The first to come gets it. @throws {StateUnavailable} */
export async function takeLease(store: StateStore, lease: Lease): Promise<HeldLease | undefined> {
  const key = leaseKey(lease.instance);
  const document = encode(LEASE_KIND, lease);
  const written = await store.write(key, document, undefined);
  return written.stored ? { key, lease: document, version: written.version } : undefined;
}

/** Undefined: another job has changed or dropped it in the meantime. @throws {StateUnavailable} */
export async function renewLease(store: StateStore, held: HeldLease, lease: Lease): Promise<HeldLease | undefined> {
  const { key } = held;
  const document = encode(LEASE_KIND, lease, held.lease);
  const written = await store.write(key, document, held.version);
  return written.stored ? { key, lease: document, version: written.version } : undefined;
}

/** @throws {StateUnavailable} */
export async function dropLease(store: StateStore, held: HeldLease): Promise<void> {
  await store.remove(held.key, held.version);
}

/**
 * Out of the way of the instance's other nodes, but not forgotten: what restores the server is kept until it answers again. One that
 * stands there already is of the same run, and older: its prior values are the first.
 * @throws {StateUnavailable}
 */
export async function quarantine(store: StateStore, held: HeldLease): Promise<void> {
  const { runId } = held.lease;
  const quarantined: Lease = { ...held.lease, status: 'quarantined', busyUntil: 0 };
  // Without a valid `run_id` the server could not be found again. A lease of 0.1.0 may hold any text as `run_id`.
  if (runId !== '' && runId.length <= LONGEST_RUN_ID)
    await store.write(quarantineKey(held.lease), encode(LEASE_KIND, quarantined, held.lease), undefined);
  await dropLease(store, held);
}
