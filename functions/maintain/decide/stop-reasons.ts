import type { StopReason } from './plan.ts';

/** What follows from the reason for which a defrag was stopped. One table, so that no list forgets a reason. */
export interface StopTraits {
  /** The run came to an end of its own: what it returned is what defrag is worth on this node. */
  readonly teaches: boolean;
  /**
   * `fully`: not again before the cooldown. `briefly`: a guard's stop, which a server that saves every few minutes would otherwise
   * turn into start and stop without end. `not`: the next open window may start again.
   */
  readonly cools: 'fully' | 'briefly' | 'not';
  /** The freed pages are purged at once. Not where somebody wants it quiet: a purge keeps clients waiting once more. */
  readonly purges: boolean;
}

const QUIET: StopTraits = { teaches: false, cools: 'not', purges: false };
const GUARD: StopTraits = { teaches: false, cools: 'briefly', purges: false };

const TRAITS: Partial<Record<StopReason, StopTraits>> = {
  'goal-met': { teaches: true, cools: 'fully', purges: true },
  'no-progress': { teaches: true, cools: 'fully', purges: true },
  // Cut off, not finished: what it returned says how long it was, not what it is worth.
  'duration-spent': { teaches: false, cools: 'fully', purges: true },
  'stall-spent': { teaches: false, cools: 'fully', purges: false },
  'switched-off': { teaches: false, cools: 'fully', purges: false },
  'server-restarted': { teaches: false, cools: 'fully', purges: false },
  'window-closed': QUIET,
  'never-started': QUIET,
  disabled: QUIET,
  interrupted: QUIET,
  paused: QUIET,
  released: QUIET,
};

/**
 * Whether the lease is set aside when it ends so, though nothing of ours is seen on its server. A young process at the address of a lease is
 * nearly always the restarted one; where it is another server, the first may still come back. And a start that has not come may
 * still be under way: TCP goes on sending for a quarter of an hour what nobody waits for any more.
 */
export function mayComeBack(because: StopReason): boolean {
  return because === 'server-restarted' || because === 'never-started';
}

/** Whatever is not in the table is a guard. */
export function traitsOf(reason: StopReason): StopTraits {
  return TRAITS[reason] ?? GUARD;
}
