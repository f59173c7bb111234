import type { StopReason } from '../../domain/plan.ts';

/** What follows from the reason for which a defrag was stopped. One table, so that no list forgets a reason. */
export interface StopTraits {
  /** The run came to an end of its own: what it returned is what defrag is worth on this node. */
  readonly teaches: boolean;
  /**
   * `fully`: not again before the cooldown. `briefly`: minutes, since what ended it may soon be over, and a server that saves every few
   * minutes must not start and stop without end. `not`: the next open window may start again.
   */
  readonly cools: 'fully' | 'briefly' | 'not';
  /**
   * How it comes to rest before it is judged. `purge`: the freed pages are purged where that is worth it and allowed by its own limits,
   * else they leave by jemalloc's decay. `decay`: only that, since somebody wants it quiet: a purge keeps clients waiting once more.
   * `at-once`: somebody waits for it at a terminal, or nothing of the run is left to judge; the verdict names the pages that are still kept.
   */
  readonly rests: 'purge' | 'decay' | 'at-once';
}

const GUARD: StopTraits = { teaches: false, cools: 'briefly', rests: 'purge' };

const QUIET: StopTraits = { teaches: false, cools: 'not', rests: 'decay' };

const AT_ONCE: StopTraits = { ...QUIET, rests: 'at-once' };

const TRAITS: Partial<Record<StopReason, StopTraits>> = {
  'goal-met': { teaches: true, cools: 'fully', rests: 'purge' },
  'no-progress': { teaches: true, cools: 'fully', rests: 'purge' },
  // Cut off, not finished: what it returned says how long it was, not what it is worth.
  'duration-spent': { teaches: false, cools: 'fully', rests: 'purge' },
  'stall-spent': GUARD,
  'switched-off': { teaches: false, cools: 'fully', rests: 'decay' },
  'server-restarted': { teaches: false, cools: 'fully', rests: 'at-once' },
  'window-closed': QUIET,
  'never-started': AT_ONCE,
  disabled: QUIET,
  paused: QUIET,
  interrupted: AT_ONCE,
  released: AT_ONCE,
  'newer-version': AT_ONCE,
};

/** Whatever is not in the table is a guard. */
export function traitsOf(reason: StopReason): StopTraits {
  return TRAITS[reason] ?? GUARD;
}
