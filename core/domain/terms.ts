import type { Milliseconds } from '../config/units.ts';
import type { Blocker } from './blocker.ts';

/** What an action asks for before it may start, besides what holds for every action. */
export interface Terms {
  /** Not before this (epoch ms). */
  readonly coolingUntil?: number;
  /** Time that the step itself takes, in ms. */
  readonly time: Milliseconds;
  /** The wait before the second check, in ms. */
  readonly secondCheck: Milliseconds;
  /** For how long the window has to stay open at least, in ms. */
  readonly openFor?: Milliseconds;
  /** It goes on after the step: it takes one of the stage's `maxDefragsAtOnce`. */
  readonly isLasting: boolean;
  readonly blockers: readonly Blocker[];
}
