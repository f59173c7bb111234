import { isEnqueued } from '../../alerts/outbox-entries.ts';
import type { Lease } from '../../domain/lease.ts';
import type { NodeHistory } from '../../domain/node-history.ts';
import type { Outcome, PurgeUnknown } from '../../domain/outcome.ts';
import type { Facts } from '../../domain/plan.ts';
import { dropLease, type HeldLease } from '../../leases/lease-store.ts';
import type { Found } from '../action.ts';
import { type NodeContext, outcomeOf, partsOf, peerActing } from '../context.ts';

/** A purge leaves nothing behind but its lease. */
export async function closePurge(
  context: NodeContext,
  facts: Facts,
  held: HeldLease,
  { memory }: Found,
): Promise<Outcome> {
  const { lease } = held;
  if (facts.now < lease.busyUntil || context.dryRun) return peerActing(context, facts, lease, false);
  const outcome = (await isPurgeUnreported(context, lease, memory))
    ? unknownPurge(context, facts, lease)
    : outcomeOf(context, facts, { kind: 'skip', reason: 'changed' });
  if (await context.announce([outcome])) await dropLease(context.ports.store, held);
  return outcome;
}

/** A purge leaves no trace of its own: whether it was carried out before the job died is unknown. */
export function unknownPurge(
  context: NodeContext,
  facts: Facts,
  { acquiredAt }: Pick<Lease, 'acquiredAt'>,
): PurgeUnknown {
  const why = 'the job ended during a MEMORY PURGE; whether it was carried out is unknown, and it is not repeated';
  return {
    ...partsOf(context, facts),
    kind: 'purge-unknown',
    plan: { kind: 'skip', reason: 'changed' },
    notices: [{ kind: 'action-failed', doing: 'purge', why }],
    episode: acquiredAt,
  };
}

/**
 * Whether no job has reported a purge whose job has died: it was tried under this lease, and what came of it is neither remembered nor in
 * the outbox. `memory` is of the node that the lease names.
 */
export async function isPurgeUnreported(
  { ports, stage }: NodeContext,
  { instance, node, acquiredAt }: Pick<Lease, 'instance' | 'node' | 'acquiredAt'>,
  memory: NodeHistory,
): Promise<boolean> {
  const { lastAt = 0, knownAt = 0 } = memory.byAction.purge ?? {};
  if (lastAt < acquiredAt || knownAt >= acquiredAt) return false;
  return !(await isEnqueued(ports.store, [stage, instance, node], acquiredAt));
}
