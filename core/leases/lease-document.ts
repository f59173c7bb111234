import * as z from 'zod/mini';
import type { Engine } from '../domain/engine.ts';
import type { Lease } from '../domain/lease.ts';
import type { StopReason } from '../domain/plan.ts';
import { type DocumentKind, decode, each, oneOf, upgraded } from '../state/codec.ts';
import { statusOf } from '../state/keys.ts';
import { noProgress } from './identity.ts';

const amount = z.number();

const maybe = z.exactOptional(amount);

const settings = z.record(z.string(), z.string());

/** The fields that are needed to restore the settings of a lease. They have this form in every version of Offpeak. */
const core = {
  status: z.enum(['active', 'quarantined']),
  ...each(z.string(), 'instance', 'node', 'runId'),
  ...each(amount, 'acquiredAt', 'expiresAt'),
  ...each(settings, 'prior', 'applied'),
};

const pace = z.looseObject({
  ...each(amount, 'level', 'allowance', 'falls'),
  ...each(maybe, 'changedAt', 'overSince'),
});

const progress = z.looseObject({
  ...each(amount, 'at', 'hits', 'misses', 'fragmentation', 'latencyAt', 'latencyMax', 'worstStall'),
  ...each(amount, 'stallStrikes', 'idleLooks'),
  ...each(maybe, 'commands', 'cpuSeconds', 'latencyLast', 'looks', 'firstCycle', 'excess', 'scanned', 'scans'),
  ...each(maybe, 'restartedAt', 'stillSince', 'moved', 'examined', 'work'),
  pace: z.exactOptional(pace),
  mark: z.exactOptional(z.looseObject(each(amount, 'moved', 'examined', 'fragmentation', 'work'))),
});

const leaseShape = z.looseObject({
  ...core,
  phase: z.enum(['taking', 'running', 'closing', 'purging']),
  role: z.enum(['primary', 'replica', 'unknown']),
  address: z.exactOptional(z.string()),
  tls: z.exactOptional(z.literal(true)),
  engine: z.exactOptional(z.looseObject({ name: oneOf<Engine['name']>(), version: z.string() })),
  holder: z.string(),
  ...each(amount, 'busyUntil', 'promisedStall'),
  ladder: z.exactOptional(z.record(z.string(), z.array(z.string()))),
  ...each(maybe, 'cpu', 'noise', 'rewrites'),
  repacing: z.exactOptional(z.literal(true)),
  byHand: z.exactOptional(z.literal(true)),
  // What a newer version stops for is treated as a guard's stop.
  closing: z.exactOptional(oneOf<StopReason>()),
  before: z.looseObject({ ...each(amount, 'usedMemoryRss', 'allocated'), fragmentation: maybe }),
  predicted: z.looseObject({
    ...each(amount, 'reclaim', 'stall'),
    ...each(maybe, 'firstCycle', 'duration'),
    isLearned: z.exactOptional(z.boolean()),
  }),
  progress,
});

export const LEASE_KIND: DocumentKind<Lease> = {
  schema: 1,
  shape: leaseShape,
  upgrade: (document, key) => ({ ...document, status: statusOf(key, document) }),
};

/** A newer version's lease, as far as this one understands it. */
const newerShape = z.looseObject({ ...core, holder: z.exactOptional(z.string()), busyUntil: maybe });

/**
 * A lease as this version writes it. After a rollback it may be one of a newer version: of that one this reads what restores the settings,
 * so that the job ends it.
 * @throws {StateUnavailable} for what is neither
 */
export function leaseIn(key: string, value: unknown): Lease {
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
