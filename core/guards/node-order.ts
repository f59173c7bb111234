import type { Role } from '../domain/observation.ts';
import { type Outcome, planIn, statusOf } from '../domain/outcome.ts';
import type { Plan, SkipReason } from '../domain/plan.ts';

/**
 * Whose turn it is within an instance: nodes that leases are on, in that order, so that they are given back whatever happens; then
 * replicas, so that what goes wrong goes wrong where no client writes; primaries last.
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

/** Others of the stage come first, or have shown what this version dies of. */
const OF_STAGE: readonly SkipReason[] = ['stage-limit', 'host-acting', 'version-fell'];

/** A node that would be acted on, were it alone in the stage. */
export function waitsForStage(plan: Plan | undefined): boolean {
  return plan?.kind === 'skip' && OF_STAGE.includes(plan.reason);
}

/** Reasons that pass by themselves, within seconds or with the run of another node: `--until-idle` waits for them. */
const PASSING: readonly SkipReason[] = [
  'peer-acting',
  'stage-limit',
  'host-acting',
  'changed',
  'just-restarted',
  'lazyfree-pending',
  'rehashing',
];

/** Nothing was done, and nothing is left to do that a tick soon after could do. */
export function isIdle(outcome: Outcome): boolean {
  const plan = planIn(outcome);
  if (outcome.leased || statusOf(outcome) === 'acted') return false;
  // What went wrong in the middle is looked at again.
  if (outcome.kind === 'failed' && plan?.kind === 'act') return false;
  return plan?.kind !== 'skip' || !PASSING.includes(plan.reason);
}
