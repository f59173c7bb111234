import * as z from 'zod/mini';
import type { Engine } from '../domain/engine.ts';
import type { Lease } from '../domain/lease.ts';
import type { StopReason } from '../domain/plan.ts';
import { type DocumentKind, decode, oneOf, upgraded } from '../state/codec.ts';
import { statusOf } from '../state/keys.ts';
import { noProgress } from './timing.ts';

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
