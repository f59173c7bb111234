import { type Outcome, planIn } from '../../core/domain/outcome.ts';
import type { Tick } from '../../core/reconcile/scope.ts';

/** A node on which our defrag is on after a tick. */
export interface LeaseOn {
  readonly instance: string;
  readonly node: string;
  /** Epoch milliseconds at which a tick ends it at the latest; undefined where this tick could not see its lease through. */
  readonly until: number | undefined;
}

/** What a tick leaves on. */
export function leasesOn({ leased, outcomes }: Pick<Tick, 'leased' | 'outcomes'>): readonly LeaseOn[] {
  return leased.map(({ instance, node }) => {
    const outcome = outcomes.findLast((one) => one.instance === instance && one.node === node);
    return { instance, node, until: outcome && untilOf(outcome) };
  });
}

function untilOf(outcome: Outcome): number | undefined {
  if (outcome.kind === 'started') return outcome.expiresAt;
  const plan = planIn(outcome);
  if (plan?.kind === 'act') return plan.action.kind === 'start-defrag' ? plan.action.expiresAt : undefined;
  return plan?.reason === 'defragmenting' ? plan.until : undefined;
}
