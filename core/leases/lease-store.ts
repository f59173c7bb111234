import * as z from 'zod/mini';
import type { Lease } from '../domain/lease.ts';
import { type StateStore, StateUnavailable, type Stored } from '../ports/state-store.ts';
import { understood } from '../state/codec.ts';
import { asideKey, isAside, LEASE, leaseKey } from '../state/keys.ts';
import { mayComeBack } from './identity.ts';

/** A lease as it is stored. */
export interface HeldLease {
  /** Of its document: `leaseKey`, or `asideKey` once nobody could give it back in time. */
  readonly key: string;
  readonly lease: Lease;
  readonly version: number;
}

/** Leases, apart from those that were set aside: they keep nobody from acting, and wait for their server. */
export interface Leases {
  /** By instance: it has at most one, so that two nodes of it can't be acted on at once, whoever tries. */
  readonly leases: ReadonlyMap<string, HeldLease>;
  readonly aside: readonly HeldLease[];
}

/** A `run_id` has 40 characters. */
const LONGEST_RUN_ID = 64;

const amount = z.number();

const settings = z.record(z.string(), z.string());

/** What it takes to give a lease back: in every version of Offpeak these have this form. */
const core = {
  instance: z.string(),
  node: z.string(),
  runId: z.string(),
  acquiredAt: amount,
  expiresAt: amount,
  prior: settings,
  applied: settings,
};

/** Fields of a newer version are kept. */
const leaseSchema = z.looseObject({
  ...core,
  phase: z.enum(['taking', 'running', 'closing', 'purging']),
  role: z.enum(['primary', 'replica', 'unknown']),
  address: z.optional(z.string()),
  engine: z.optional(z.looseObject({ name: z.string(), version: z.string() })),
  holder: z.string(),
  busyUntil: amount,
  ladder: z.optional(z.record(z.string(), z.array(z.string()))),
  cpu: z.optional(amount),
  noise: z.optional(amount),
  rewrites: z.optional(amount),
  repacing: z.optional(z.literal(true)),
  closing: z.optional(z.string()),
  before: z.looseObject({ usedMemoryRss: amount, allocated: amount, fragmentation: z.optional(amount) }),
  predicted: z.looseObject({
    reclaim: amount,
    stall: amount,
    firstCycle: z.optional(amount),
    duration: z.optional(amount),
    isLearned: z.optional(z.boolean()),
  }),
  promisedStall: amount,
  progress: z.looseObject({
    at: amount,
    hits: amount,
    misses: amount,
    fragmentation: amount,
    commands: z.optional(amount),
    cpuSeconds: z.optional(amount),
    latencyAt: amount,
    latencyMax: amount,
    latencyLast: z.optional(amount),
    worstStall: amount,
    looks: z.optional(amount),
    stallStrikes: amount,
    idleLooks: amount,
    firstCycle: z.optional(amount),
    excess: z.optional(amount),
    pace: z.optional(
      z.looseObject({
        level: amount,
        allowance: z.number(),
        changedAt: z.optional(amount),
        falls: amount,
        overSince: z.optional(amount),
      }),
    ),
    scanned: z.optional(amount),
    scans: z.optional(amount),
    restartedAt: z.optional(amount),
    stillSince: z.optional(amount),
    moved: z.optional(amount),
    examined: z.optional(amount),
    work: z.optional(amount),
    mark: z.optional(z.looseObject({ moved: amount, examined: amount, fragmentation: amount, work: amount })),
  }),
});

/** A newer version's lease, as far as this one understands it. */
const newerSchema = z.looseObject({ ...core, holder: z.optional(z.string()), busyUntil: z.optional(amount) });

/** What the documents hold. `unreadable` hears of each that is no lease: never a guess. */
export function leasesOf(
  documents: ReadonlyMap<string, Stored>,
  unreadable: (key: string, why: string) => void,
): Leases {
  const leases = new Map<string, HeldLease>();
  const aside: HeldLease[] = [];
  for (const [key, { value, version }] of documents) {
    const held = orTold(key, unreadable, () => ({ key, lease: leaseIn(key, value), version }));
    if (held && isAside(held)) aside.push(held);
    else if (held) leases.set(key.slice(LEASE.length), held);
  }
  return { leases, aside };
}

/** One document that cannot be read must not keep what the others say from being known. */
export function orTold<T>(key: string, unreadable: (key: string, why: string) => void, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    unreadable(key, error.message);
    return undefined;
  }
}

/**
 * Every lease there is, those included that were set aside because nobody could reach their server: whoever removes the stack has to
 * know of them. Of one whose server has restarted, or whose start has never come, nothing is left to give back.
 */
export function leasesIn({ leases, aside }: Leases): readonly Lease[] {
  const missing = aside.filter(({ lease: { closing } }) => closing === undefined || !mayComeBack(closing));
  return [...leases.values(), ...missing].map(({ lease }) => lease);
}

/**
 * A lease as this version writes it, or, after a rollback, one of a newer version: of that one it takes what gives it back, and ends it.
 * @throws {StateUnavailable} for what is neither
 */
function leaseIn(key: string, value: unknown): Lease {
  const own = leaseSchema.safeParse(value);
  if (own.success) return own.data as Lease;
  const newer = newerSchema.safeParse(value);
  if (newer.success && Object.keys(newer.data.applied).length > 0) return ending(newer.data);
  return understood(leaseSchema, key, value) as Lease;
}

/** Nothing of its progress is understood, so that it is only ended: `closing` says why. */
function ending({ holder = '', busyUntil = 0, ...lease }: z.infer<typeof newerSchema>): Lease {
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
    progress: {
      at: lease.acquiredAt,
      hits: 0,
      misses: 0,
      fragmentation: 0,
      latencyAt: 0,
      latencyMax: 0,
      worstStall: 0,
      stallStrikes: 0,
      idleLooks: 0,
    },
  };
}

/** The first to come gets it. @throws {StateUnavailable} */
export async function takeLease(store: StateStore, lease: Lease): Promise<HeldLease | undefined> {
  const key = leaseKey(lease.instance);
  const written = await store.write(key, lease, undefined);
  return written.stored ? { key, lease, version: written.version } : undefined;
}

/** Undefined: somebody else has changed or dropped it in the meantime. @throws {StateUnavailable} */
export async function renewLease(store: StateStore, held: HeldLease, lease: Lease): Promise<HeldLease | undefined> {
  const { key } = held;
  const written = await store.write(key, lease, held.version);
  return written.stored ? { key, lease, version: written.version } : undefined;
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
export async function setAside(store: StateStore, held: HeldLease): Promise<void> {
  const { runId } = held.lease;
  // What no server is known by leads nobody back to it. A lease of 0.1.0 may hold whatever a server called its `run_id`.
  if (runId !== '' && runId.length <= LONGEST_RUN_ID)
    await store.write(asideKey(held.lease), { ...held.lease, busyUntil: 0 }, undefined);
  await dropLease(store, held);
}
