import { NodeFailure } from '../adapters/redis/failure.ts';
import type { Blocker } from '../domain/blocker.ts';
import type { Lease } from '../domain/lease.ts';
import type { NodeMemory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { ActionOutcome, Failed, Notice } from '../domain/outcome.ts';
import type { Acting, Facts, Skip } from '../domain/plan.ts';
import { versionOf } from '../guards/stage-limits.ts';
import { dropLease, type HeldLease, leasesOf, takeLease } from '../leases/lease-store.ts';
import { isOverdue } from '../leases/timing.ts';
import { StateUnavailable } from '../ports/state-store.ts';
import { LEASE } from '../state/keys.ts';
import { type NodeContext, partsOf } from './context.ts';
import { ladderOf } from './defrag/ladder.ts';
import { initialProgress } from './defrag/progress.ts';
import { rssBaseline } from './verify.ts';

/** Long enough for what stands between a lease and its confirmation; a job that died in between blocks the instance no longer. */
const BUSY_MS = 15_000;
/** A purge may keep us waiting for a multiple of its prediction. */
const PURGE_SHARE = 5;

/** What came of an action. Memory is up to date and stored, whatever it was. */
export type Result<Done extends ActionOutcome = ActionOutcome> =
  | {
      readonly kind: 'done';
      readonly memory: NodeMemory;
      readonly outcome: Done;
      readonly settled: Observation;
      /** False: it could not be entrusted to the outbox. */
      readonly isTold?: boolean;
    }
  | Withdrawn
  | { readonly kind: 'failed'; readonly why: string; readonly leased: boolean; readonly memory: NodeMemory };

/** It turned out that this is not to be done; nothing is left changed. */
interface Withdrawn {
  readonly kind: 'withdrawn';
  readonly plan: Skip;
  readonly memory: NodeMemory;
  readonly notices?: readonly Notice[];
}

/** The lease as it is written before anything is changed. `rewrites`: see `Lease.rewrites`. */
export function newLease(
  context: NodeContext,
  { observation, now, noise }: Facts,
  plan: Acting,
  rewrites?: number,
): Lease {
  const { action, predicted } = plan;
  const isDefrag = action.kind === 'start-defrag';
  const applied = isDefrag ? action.settings : {};
  const current = observation.defrag.settings ?? {};
  const progress = initialProgress(observation, predicted);
  const isPurge = action.kind === 'purge';
  return {
    instance: context.instance.id,
    node: context.node,
    phase: isPurge ? 'purging' : 'taking',
    runId: observation.runId ?? '',
    role: observation.replication.role,
    ...(observation.address !== undefined && { address: observation.address }),
    engine: versionOf(observation.engine),
    holder: context.holder,
    busyUntil: now + BUSY_MS + (isPurge ? predicted.stall * PURGE_SHARE : 0),
    acquiredAt: now,
    expiresAt: isDefrag ? action.expiresAt : now + BUSY_MS,
    prior: Object.fromEntries(Object.keys(applied).map((name) => [name, current[name] ?? ''])),
    applied,
    ...(isDefrag && { ladder: ladderOf(action.cpu, current), cpu: action.cpu }),
    ...(noise !== undefined && { noise }),
    ...(rewrites !== undefined && { rewrites }),
    before: { ...rssBaseline(observation), fragmentation: progress.fragmentation },
    predicted,
    promisedStall: isPurge ? context.instance.purge.maxBlock : context.instance.defrag.maxStall,
    progress,
  };
}

/**
 * The right to act on a node, from the stage and then from its instance; or why it is not to be had now. Nothing has been changed then.
 * `rewrites`: see `Lease.rewrites`.
 * @throws {StateUnavailable}
 */
export async function acquire(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  rewrites?: number,
): Promise<HeldLease | Withdrawn> {
  const lease = newLease(context, facts, plan, rewrites);
  const blockers = await context.claims.claim(lease);
  const held = blockers.length > 0 ? undefined : await takeOnlyLease(context, lease);
  if (held) return held;
  return { kind: 'withdrawn', plan: withheld(blockers, context), memory: facts.memory };
}

/**
 * The instance's lease, if no node of it has one: under its name no other can be taken, and under another name (an instance that was
 * renamed, split or merged, a job that still has the config of before) it shows here. Of two jobs that meet so, both may withdraw.
 * @throws {StateUnavailable}
 */
async function takeOnlyLease(
  { ports: { store }, instance }: NodeContext,
  lease: Lease,
): Promise<HeldLease | undefined> {
  const held = await takeLease(store, lease);
  if (!held) return undefined;
  const { leases } = leasesOf(await store.list(LEASE), () => {});
  const isPeer = (other: HeldLease) =>
    other.key !== held.key &&
    instance.nodes.some(({ id }) => id === other.lease.node) &&
    !isOverdue(other.lease, lease.acquiredAt);
  if (![...leases.values()].some(isPeer)) return held;
  await dropLease(store, held);
  return undefined;
}

/** The stage says no; or somebody else holds the instance's lease. */
function withheld([first, ...others]: readonly Blocker[], { instance }: NodeContext): Skip {
  const blockers = first ? [first, ...others] : ([{ kind: 'peer-acting', peer: instance.id }] as const);
  return { kind: 'skip', reason: first?.kind ?? 'peer-acting', blockers };
}

/** Troubles of the world become outcomes; anything else is a bug and goes on. */
export function expected(error: unknown): string {
  if (error instanceof NodeFailure || error instanceof StateUnavailable) return error.message;
  throw error;
}

/** What was begun and has gone wrong. */
export function failedOutcome(
  context: NodeContext,
  facts: Facts,
  plan: Acting,
  { why, leased }: { readonly why: string; readonly leased: boolean },
): Failed {
  return {
    ...partsOf(context, facts),
    kind: 'failed',
    plan,
    leased,
    problem: { kind: 'action-failed', message: why, expected: true },
    notices: [{ kind: 'action-failed', doing: plan.action.kind, why }],
  };
}
