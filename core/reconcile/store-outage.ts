import { factsAt, type NodeContext, outcomeOf } from '../actions/context.ts';
import { restoreWithoutStore } from '../actions/defrag/restore.ts';
import { planLeased, stopping } from '../actions/defrag/stop-rule.ts';
import { EMPTY_HISTORY } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Failed, Observed } from '../domain/outcome.ts';
import type { StopReason } from '../domain/plan.ts';
import { identify } from '../leases/identity.ts';
import type { HeldLease } from '../leases/lease-store.ts';

/**
 * A node while the state cannot be read. Nothing is started, learned or stored, but a lease that this process still knows of ends when its
 * time comes: a store that is down must not keep a defrag on beyond its window.
 */
export async function reconcileWithoutStore(
  context: NodeContext,
  observation: Observation,
  held: HeldLease | undefined,
  because?: StopReason,
): Promise<Observed | Failed> {
  const facts = factsAt(context, observation, { memory: EMPTY_HISTORY });
  const { obstacle: why = '', holder, dryRun } = context;
  const nothing = { kind: 'skip', reason: 'state-unavailable' } as const;
  if (!held || dryRun) return outcomeOf(context, facts, nothing);
  const { lease } = held;
  if (lease.phase === 'purging') return outcomeOf(context, facts, nothing, { leased: false });
  const isAnothers =
    identify(lease, observation) === 'another' || (lease.holder !== holder && facts.now < lease.busyUntil);
  const decided = because ? stopping(lease, because) : planLeased(facts, lease);
  if (isAnothers || decided.kind === 'skip') return outcomeOf(context, facts, nothing, { leased: true });
  return await restoreWithoutStore(context, facts, lease, decided, why);
}
