import { type Outcome, planIn, statusOf } from '../domain/outcome.ts';
import type { Plan, SkipReason } from '../domain/plan.ts';
import type { Role } from '../domain/replication.ts';

/**
 * The order of nodes within an instance. Nodes with leases come first, in the order of these leases, so that their settings are restored in
 * any case. Then replicas, where no client writes; primaries last.
 */
export function actingOrder<
  T extends {
    readonly node: { readonly id: string };
    readonly observation?: { readonly replication: { readonly role: Role } };
  },
>(nodes: readonly T[], leased: readonly string[]): readonly T[] {
  const rank = ({ node, observation }: T): number => {
    if (leased.includes(node.id)) return leased.indexOf(node.id);
    return leased.length + (observation?.replication.role === 'replica' ? 0 : 1);
  };
  return nodes.toSorted((a, b) => rank(a) - rank(b));
}

/** Another node of the stage comes first, or has shown that this version crashes. */
const OF_STAGE: readonly SkipReason[] = ['stage-limit', 'group-limit', 'host-acting', 'version-fell', 'version-unseen'];

/** A node that waits only because of other nodes of the stage. */
export function waitsForStage(plan: Plan | undefined): boolean {
  return plan?.kind === 'skip' && OF_STAGE.includes(plan.reason);
}

/** Reasons that pass by themselves, within seconds or with the run of another node: `--until-idle` waits for them. */
const PASSING: readonly SkipReason[] = [
  'peer-acting',
  'stage-limit',
  'group-limit',
  'host-acting',
  'version-unseen',
  'changed',
  'just-restarted',
  'lazyfree-pending',
  'rehashing',
];

/** Nothing was done, and the next tick would have nothing to do. */
export function isIdle(outcome: Outcome): boolean {
  const plan = planIn(outcome);
  if (outcome.leased || statusOf(outcome) === 'acted') return false;
  // A failed action is checked again.
  if (outcome.kind === 'failed' && plan?.kind === 'act') return false;
  return plan?.kind !== 'skip' || !PASSING.includes(plan.reason);
}
