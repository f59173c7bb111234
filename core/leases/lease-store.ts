import * as z from 'zod/mini';
import type { Engine } from '../domain/engine.ts';
import type { Lease } from '../domain/lease.ts';
import type { StopReason } from '../domain/plan.ts';
import type { StateStore, Stored } from '../ports/state-store.ts';
import { type DocumentKind, decode, encode, oneOf, unlessUnreadable, upgraded } from '../state/codec.ts';
import { isQuarantined, LEASE, leaseKey, quarantineKey, statusOf } from '../state/keys.ts';
import { mayComeBack } from './identity.ts';
import { noProgress } from './timing.ts';

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

/** A `run_id` has 40 characters. */
const LONGEST_RUN_ID = 64;

const amount = z.number();
const settings = z.record(z.string(), z.string());

/** The fields that are needed to restore the settings of a lease. They have this form in every version of Offpeak. */
const core = {
  status: z.enum(['active', 'quarantined']),
  instance: z.string(),
  node: z.string(),
  runId: z.string(),
  acquiredAt: amount,
  expiresAt: amount,
  prior: settings,
  applied: settings,
};

const leaseShape = z.looseObject({
  ...core,
  phase: z.enum(['taking', 'running', 'closing', 'purging']),
  role: z.enum(['primary', 'replica', 'unknown']),
  address: z.exactOptional(z.string()),
  engine: z.exactOptional(z.looseObject({ name: oneOf<Engine['name']>(), version: z.string() })),
  holder: z.string(),
  busyUntil: amount,
  ladder: z.exactOptional(z.record(z.string(), z.array(z.string()))),
  cpu: z.exactOptional(amount),
  noise: z.exactOptional(amount),
  rewrites: z.exactOptional(amount),
  repacing: z.exactOptional(z.literal(true)),
  // What a newer version stops for is treated as a guard's stop.
  closing: z.exactOptional(oneOf<StopReason>()),
  before: z.looseObject({ usedMemoryRss: amount, allocated: amount, fragmentation: z.exactOptional(amount) }),
  predicted: z.looseObject({
    reclaim: amount,
    stall: amount,
    firstCycle: z.exactOptional(amount),
    duration: z.exactOptional(amount),
    isLearned: z.exactOptional(z.boolean()),
  }),
  promisedStall: amount,
  progress: z.looseObject({
    at: amount,
    hits: amount,
    misses: amount,
    fragmentation: amount,
    commands: z.exactOptional(amount),
    cpuSeconds: z.exactOptional(amount),
    latencyAt: amount,
    latencyMax: amount,
    latencyLast: z.exactOptional(amount),
    worstStall: amount,
    looks: z.exactOptional(amount),
    stallStrikes: amount,
    idleLooks: amount,
    firstCycle: z.exactOptional(amount),
    excess: z.exactOptional(amount),
    pace: z.exactOptional(
      z.looseObject({
        level: amount,
        allowance: z.number(),
        changedAt: z.exactOptional(amount),
        falls: amount,
        overSince: z.exactOptional(amount),
      }),
    ),
    scanned: z.exactOptional(amount),
    scans: z.exactOptional(amount),
    restartedAt: z.exactOptional(amount),
    stillSince: z.exactOptional(amount),
    moved: z.exactOptional(amount),
    examined: z.exactOptional(amount),
    work: z.exactOptional(amount),
    mark: z.exactOptional(z.looseObject({ moved: amount, examined: amount, fragmentation: amount, work: amount })),
  }),
});

export const LEASE_KIND: DocumentKind<Lease> = {
  schema: 1,
  shape: leaseShape,
  upgrade: (document, key) => ({ ...document, status: statusOf(key, document) }),
};

/** A newer version's lease, as far as this one understands it. */
const newerShape = z.looseObject({ ...core, holder: z.exactOptional(z.string()), busyUntil: z.exactOptional(amount) });

/** The leases in the documents. `unreadable` is called for each document that is not a lease: none is guessed. */
export function leasesOf(
  documents: ReadonlyMap<string, Stored>,
  unreadable: (key: string, why: string) => void,
): Leases {
  const leases = new Map<string, HeldLease>();
  const quarantined: HeldLease[] = [];
  for (const [key, { value, version }] of documents) {
    const held = unlessUnreadable(key, unreadable, () => ({ key, lease: leaseIn(key, value), version }));
    if (held && isQuarantined(held)) quarantined.push(held);
    else if (held) leases.set(key.slice(LEASE.length), held);
  }
  return { leases, quarantined };
}

/**
 * All active leases, and those in quarantine whose server did not answer: a person who removes the stack has to know of them. If the
 * server has restarted, or the start has never arrived, no setting is left to restore.
 */
export function leasesIn({ leases, quarantined }: Leases): readonly Lease[] {
  const missing = quarantined.filter(({ lease: { closing } }) => closing === undefined || !mayComeBack(closing));
  return [...leases.values(), ...missing].map(({ lease }) => lease);
}

/**
 * A lease as this version writes it. After a rollback it may be one of a newer version: of that one this reads what restores the settings,
 * so that the job ends it.
 * @throws {StateUnavailable} for what is neither
 */
function leaseIn(key: string, value: unknown): Lease {
  try {
    return decode(LEASE_KIND, key, value);
  } catch (error) {
    const newer = newerShape.safeParse(upgraded(LEASE_KIND, key, value));
    if (!newer.success || Object.keys(newer.data.applied).length === 0) throw error;
    return ending(newer.data);
  }
}

/** Nothing of its progress is understood, so that it is only ended: `closing` says why. */
function ending({ holder = '', busyUntil = 0, ...lease }: z.infer<typeof newerShape>): Lease {
  const nothing = { usedMemoryRss: 0, allocated: 0 };
  return {
    ...lease,
    holder,
    busyUntil,
    phase: 'closing',
    closing: 'newer-version',
    role: 'unknown',
    before: nothing,
    predicted: { reclaim: 0, stall: 0 },
    promisedStall: 0,
    progress: noProgress(lease.acquiredAt),
  };
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
