import type { Role } from './observation.ts';
import type { Outcome } from './outcome.ts';
import type { SkipReason } from './plan.ts';

/**
 * Whose turn it is within an instance: the node that a lease is on, so that it is given back whatever happens; then
 * replicas, so that what goes wrong goes wrong where no client writes; primaries last.
 */
export function actingOrder<
  T extends {
    readonly node: { readonly id: string };
    readonly observation?: { readonly replication: { readonly role: Role } };
  },
>(nodes: readonly T[], leased: string | undefined): readonly T[] {
  const rank = ({ node, observation }: T): number => {
    if (node.id === leased) return 0;
    return observation?.replication.role === 'replica' ? 1 : 2;
  };
  return nodes.toSorted((a, b) => rank(a) - rank(b));
}

/** Reasons that pass by themselves within seconds: `--until-idle` waits for them. */
const PASSING: readonly SkipReason[] = ['peer-acting', 'changed', 'just-restarted', 'lazyfree-pending', 'rehashing'];

/** Nothing was done, and nothing is left to do that a tick soon after could do. */
export function isIdle({ status, plan, leased }: Outcome): boolean {
  if (leased || status === 'acted') return false;
  return plan?.kind !== 'skip' || !PASSING.includes(plan.reason);
}
