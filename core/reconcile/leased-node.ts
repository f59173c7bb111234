import { factsAt, type NodeContext, peerActing } from '../actions/context.ts';
import { ownerOf } from '../actions/registry.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { StopReason } from '../domain/plan.ts';
import { identify } from '../leases/identity.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import { historyFor } from '../state/history-placement.ts';
import { displacedLease } from './displaced-leases.ts';

/** A node with an Offpeak lease: the action that took the lease carries on, or ends it. `because`: it has to end, for this reason. */
export async function reconcileLeasedNode(
  context: NodeContext,
  observation: Observation,
  memory: NodeHistory,
  held: HeldLease,
  because?: StopReason,
): Promise<Outcome> {
  const facts = factsAt(context, observation, { memory: historyFor(observation, memory) });
  const { lease } = held;
  // A purge has changed no settings: nothing of it is left on any server.
  if (lease.phase !== 'purging') {
    // Between the lease and its settings, and between the settings and the purge: a second job would take half of it for the whole.
    if (lease.holder !== context.holder && facts.now < lease.busyUntil) return peerActing(context, facts, lease, true);
    if (identify(lease, observation) === 'another') return await displacedLease(context, facts, held, memory.notified);
  }
  const { resume } = await ownerOf(lease).effects();
  return await resume(context, facts, held, { observation, memory, ...(because && { because }) });
}
